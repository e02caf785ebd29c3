// Handlers of runs that finally failed, through the public API.
import assert from "node:assert/strict";
import {
  connect,
  NonRetryableError,
  OnFailure,
  RunFailed,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

interface Handled {
  by: string;
  input: unknown;
  failed: string;
  errors: string[];
  metadata: Readonly<Record<string, string>>;
}
let handled: Handled[] = [];
const note = (by: string, input: unknown, ctx: TaskContext) => {
  const { task, id } = ctx.failedRun!;
  handled.push({
    by,
    input,
    failed: `${task}/${id}`,
    errors: ctx.errors.map(({ message }) => message),
    metadata: ctx.metadata,
  });
};

@Worker({ name: "mailer", slots: 5 })
class Mailer {
  @Task("send", { retries: { limit: 1, backoff: "fixed", base: 1 } })
  async send({ to }: { to: string }, ctx: TaskContext) {
    if (to === "nobody") throw new Error(`no such address, attempt ${ctx.attempt}`);
    if (to === "later") throw new NonRetryableError("refused");
    return to;
  }
  @Task("other")
  async other() {
    throw new Error("other failed");
  }
  @OnFailure("send", { retries: { limit: 1, backoff: "fixed", base: 1 } })
  async sendFailed(input: { to: string }, ctx: TaskContext) {
    if (ctx.attempt === 1) throw new Error("the handler fails once");
    note("sendFailed", input, ctx);
  }
}

@Worker({ name: "all", slots: 5 })
class All {
  @Task("one") async one() {
    throw new Error("one");
  }
  @Task("two") async two() {
    throw new Error("two");
  }
  @OnFailure() async anyFailed(input: unknown, ctx: TaskContext) {
    note("anyFailed", input, ctx);
  }
}

test("a run that finally failed is handled once, with its errors; retried, cancelled and completed ones are not", async () => {
  const server = await testServer();
  const options = { url: server.url, log: "silent", signals: false } as const;
  let running = await start([Mailer, All], options);
  const client = await connect({ url: server.url });
  const send = client.task("send");
  await assert.rejects(send.run({ to: "nobody" }, { id: "a", metadata: { customer: "7" } }), RunFailed);
  await waitFor(() => handled.length === 1, 10_000, "the handler");
  assert.deepEqual(handled[0], {
    by: "sendFailed",
    input: { to: "nobody" },
    failed: "send/a",
    errors: ["no such address, attempt 1", "no such address, attempt 2"],
    metadata: { customer: "7", "natchet.failed": "send/a" },
  });
  await client.get("mailer-sendFailed", "send:a").result();
  assert.equal((await client.get("mailer-sendFailed", "send:a").status()).state, "completed");

  await send.run({ to: "somebody" }, { id: "b" });
  await assert.rejects(client.task("other").run(), RunFailed);
  const waiting = await send.enqueue({ to: "nobody" }, { id: "c", delay: "1h" });
  await waiting.cancel();
  handled = [];
  await Promise.allSettled([client.task("one").run(1, { id: "x" }), client.task("two").run(2, { id: "x" })]);
  await waitFor(() => handled.length === 2, 10_000, "both handlers");
  assert.deepEqual(handled.map(({ by, input, errors }) => [by, input, errors[0]]).sort(), [
    ["anyFailed", 1, "one"],
    ["anyFailed", 2, "two"],
  ]);

  handled = [];
  await running.stop();
  running = await start([Mailer, All], options);
  await assert.rejects(send.run({ to: "later" }, { id: "d" }), RunFailed);
  await waitFor(() => handled.length > 0, 10_000, "the handler under a new leader");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(
    handled.map(({ failed }) => failed),
    ["send/d"],
  );
  await client.close();
  await running.stop();
  await server.stop();
});

test("what is wrong with a handler is refused where it is defined", () => {
  class Unknown {
    @Task("send") async send() {}
    @OnFailure("sned") async failed() {}
  }
  assert.throws(() => Worker(1)(Unknown), /names "sned", which is not a task of the class; the class has: send/);
  class Both {
    @Task() @OnFailure() async send() {}
    @Task() async other() {}
  }
  assert.throws(() => Worker(1)(Both), /send is both a task and an @OnFailure handler; write two methods/);
});
