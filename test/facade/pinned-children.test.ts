// The result of a child that its parent still needs stays readable for everybody, although the log has forgotten how it ended.
import assert from "node:assert/strict";
import {
  connect,
  Durable,
  type DurableContext,
  type Natchet,
  type Running,
  signal,
  start,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const Go = signal<string>("go");

@Worker({ name: "family", slots: 4 })
class Family {
  @Durable("parent") async parent(_: unknown, ctx: DurableContext) {
    const settled = await ctx.map(ctx.tasks(Family).child, ["done", "broken", "slow"], { onError: "settle" });
    return settled.map(({ ok }) => ok);
  }
  @Durable("child") async child(how: string, ctx: DurableContext) {
    if (how === "broken") throw new RangeError("it broke");
    return how === "slow" ? ctx.waitFor(Go) : { how };
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let running: Running;
let client: Natchet;
beforeAll(async () => {
  server = await testServer();
  const settings = { url: server.url, log: "silent", signals: false, retention: { count: 0 } } as const;
  running = await start(Family, settings);
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

test("anybody reads how a pinned child ended, as long as its parent needs it", async () => {
  const parent = await client.tasks(Family).parent.enqueue({});
  const children = async () => (await client.list({ task: "child" }, { errors: true })).runs;
  await waitFor(async () => (await children()).filter((run) => run.inputIsGone).length === 2, 60_000, "two pins");
  const byState = Object.fromEntries((await children()).map((run) => [run.state, run]));
  assert.match(byState["failed"]!.error!.message, /it broke/, "also in a list");
  const handleOf = (state: string) => client.get("child", byState[state]!.id);
  assert.deepEqual(await handleOf("completed").result({ timeout: "20s" }), { how: "done" });
  await assert.rejects(handleOf("failed").result({ timeout: "20s" }), /it broke/);
  const { output, inputIsGone, attempts } = await handleOf("completed").status();
  assert.deepEqual([output, inputIsGone, attempts], [{ how: "done" }, true, []]);
  assert.match((await handleOf("failed").status()).error!.message, /it broke/);
  await handleOf("waiting").send(Go, "on");
  assert.deepEqual(await parent.result(), [true, false, true]);
}, 90_000);
