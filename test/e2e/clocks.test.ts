// Machines whose clocks are wrong, in one process: what `Date.now` says is moved while callers, a worker and the leader use it.
import assert from "node:assert/strict";
import { Cron, connect, start, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const machineNow = Date.now;
let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(async () => {
  Date.now = machineNow;
  await server.stop();
});
const setClock = (aheadMs: number) => {
  Date.now = () => machineNow() + aheadMs;
};

@Worker(5)
class Clocked {
  ticks = 0;
  open = Promise.withResolvers<void>();

  @Task("echo")
  async echo(n: number) {
    return n;
  }
  @Task("once", { retries: { limit: 1, base: "300ms", jitter: 0 } })
  async once(_: null, ctx: TaskContext) {
    if (ctx.attempt === 1) throw new Error("try again");
    return ctx.attempt;
  }
  @Task("wait", { timeout: "30s", scheduleTimeout: "2s" })
  async wait() {
    await this.open.promise;
    return "waited";
  }
  @Task("tick")
  @Cron("* * * * * *")
  async tick() {
    this.ticks += 1;
  }
}

test("clocks that are minutes and hours off, of a caller and of the leader, delay, cancel and stop nothing", async () => {
  const where = { url: server.url, namespace: "clocked", log: "silent", signals: false } as const;
  const clocked = new Clocked();
  setClock(-7_200_000); // the machine is wrong from the start
  const running = await start(clocked, { ...where, shutdownTimeout: "60d" });
  setClock(0);
  const client = await connect(where);
  const { echo, once, wait } = client.tasks(Clocked);
  const within = { timeout: "30d" } as const; // longer than a timer of the runtime holds
  for (const aheadMs of [120_000, -600_000, 3_600_000]) {
    const waiting = await wait.enqueue();
    await waitFor(async () => (await waiting.status()).state === "running", 10_000, "it to run");
    const before = machineNow();
    setClock(aheadMs);
    const [soon, later, again] = await Promise.all([
      echo.enqueue(1),
      echo.enqueue(2, { delay: "500ms" }),
      once.enqueue(null),
    ]);
    assert.equal(await soon.result(within), 1);
    assert.equal(await again.result(within), 2);
    assert.equal(await later.result(within), 2);
    const { createdAt, startedAt = 0, finishedAt = 0, attempts } = await later.status();
    const after = machineNow();
    setClock(0);
    const { ticks } = clocked;
    await waitFor(() => clocked.ticks > ticks, 10_000, "the cron to go on");
    const times = [before, createdAt, createdAt + 499, startedAt, attempts[0]!.endedAt, finishedAt, after];
    const isOrdered = times.every((time, i) => i === 0 || time >= times[i - 1]! - 50);
    assert.ok(isOrdered, `clock ${aheadMs} ms off: ${times.join()}`);
    clocked.open.resolve();
    assert.equal(await waiting.result(within), "waited");
    clocked.open = Promise.withResolvers();
  }
  const last = await wait.enqueue();
  await waitFor(async () => (await last.status()).state === "running", 10_000, "it to run");
  const stopped = running.stop();
  clocked.open.resolve();
  assert.equal(await last.result(within), "waited", "it had 60 days to end");
  await stopped;
  await client.close();
}, 60_000);
