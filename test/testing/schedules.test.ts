// Crons, failure handlers and batches in a test worker, by a clock that the test moves.
import assert from "node:assert/strict";
import { Cron, OnFailure, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { manualClock, testWorker } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

@Worker({ name: "reports", slots: 5 })
class Reports {
  @Task("report", { retries: { limit: 1, base: 1_000, backoff: "fixed" } })
  @Cron("*/10 * * * *", { name: "often", input: { fails: true } })
  async report(input: { fails: boolean }) {
    if (input.fails) throw new Error("no paper");
  }
  @OnFailure()
  async failed(input: { fails: boolean }, ctx: TaskContext) {
    return [input, ctx.failedRun!.id, ctx.errors.length];
  }
  @Task("many", { batch: { size: 10, interval: "1s" } })
  async many(inputs: number[]) {
    return inputs.map((n) => n + 1);
  }
}

test("a schedule fires by the manual clock; what fails for good is handled", async () => {
  const clock = manualClock({ start: new Date("2026-01-01T00:00:00Z") });
  await using worker = testWorker(Reports, { clock });
  await clock.advance("25m");
  const ids = worker
    .runs()
    .filter(({ task }) => task === "report")
    .map(({ id, state }) => [id, state]);
  assert.deepEqual(ids, [
    ["often:2026-01-01T00:10:00.000Z", "failed"],
    ["often:2026-01-01T00:20:00.000Z", "failed"],
  ]);
  const handled = worker.runs().filter(({ task }) => task === "reports-failed");
  assert.deepEqual(handled[0]!.output, [{ fails: true }, "often:2026-01-01T00:10:00.000Z", 2]);
  assert.equal(handled.length, 2);
  const many = worker.run("many", 1);
  await clock.advance("1s");
  assert.equal(await many, 2);
});
