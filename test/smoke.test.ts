// The whole product in one process, through the public entry alone: the shortest proof that a runtime can carry it.
import assert from "node:assert/strict";
import { connect, contract, of, start, Task, type TaskContext, Worker } from "../src/mod.ts";
import { afterAll, beforeAll, test } from "./support/harness.ts";
import { type NatsServer, startNatsServer } from "./support/nats-server.ts";

const double = contract("double", { input: of<{ n: number }>(), output: of<{ n: number }>() });
let server: NatsServer;
let running = 0;
let most = 0;

@Worker({ name: "smoke", slots: 2 })
class SmokeWorker {
  @Task("greet", { timeout: "10s" })
  async greet(input: { name: string }, ctx: TaskContext) {
    return { text: `Hello, ${input.name}!`, attempt: ctx.attempt };
  }

  @Task(double)
  async double(input: { n: number }) {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return { n: input.n * 2 };
  }

  @Task({ retries: { limit: 2, base: "10ms" } })
  async flaky(_input: undefined, ctx: TaskContext) {
    if (ctx.attempt < 3) throw new Error(`attempt ${ctx.attempt}`);
    return ctx.errors.map((error) => error.message);
  }
}

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

test("a worker executes what a client asks for, within its slots", async () => {
  const options = { url: server.url, namespace: "smoke", log: "silent" } as const;
  const worker = await start(SmokeWorker, { ...options, signals: false });
  const natchet = await connect(options);
  try {
    const tasks = natchet.tasks(SmokeWorker);
    assert.deepEqual(await tasks.greet.run({ name: "Ada" }), { text: "Hello, Ada!", attempt: 1 });
    const inputs = Array.from({ length: 20 }, (_, n) => ({ n }));
    assert.deepEqual(
      await natchet.task(double).runMany(inputs),
      inputs.map(({ n }) => ({ n: n * 2 })),
    );
    assert.equal(most, 2);
    assert.deepEqual(await tasks.flaky.run(undefined), ["attempt 1", "attempt 2"]);
  } finally {
    await natchet.close();
    await worker.stop();
  }
}, 60_000);
