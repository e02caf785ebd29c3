// @Cron and the crons of a client, through the public API.
import assert from "node:assert/strict";
import { Cron, connect, start, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const ticks: { input: unknown; cron: string | undefined }[] = [];

@Worker({ name: "reports", slots: 2 })
class Reports {
  @Task("report")
  @Cron("* * * * * *", { input: { kind: "short" } })
  @Cron("0 3 * * *", { name: "nightly", timezone: "Europe/Berlin", input: { kind: "long" } })
  async report(input: unknown, ctx: TaskContext) {
    ticks.push({ input, cron: ctx.metadata["natchet.cron"] });
  }
}

@Worker({ name: "reports", slots: 2 })
class WithoutCrons {
  @Task("report")
  async report() {}
}

test("decorated schedules are listed, fire, can be paused, and are gone with the code", async () => {
  const server = await testServer();
  const options = { url: server.url, log: "silent", signals: false } as const;
  let running = await start(Reports, options);
  const client = await connect({ url: server.url });
  await waitFor(() => ticks.length >= 2, 10_000, "two ticks");
  assert.deepEqual(ticks[0], { input: { kind: "short" }, cron: "report" });
  const [nightly, report] = await client.crons.list();
  assert.deepEqual(
    [nightly!.name, nightly!.origin, nightly!.worker, nightly!.timezone],
    ["nightly", "code", "reports", "Europe/Berlin"],
  );
  assert.ok(nightly!.nextTick! > Date.now());
  assert.equal(report!.task, "report");
  await client.crons.pause("report");
  await running.stop();
  running = await start(Reports, options);
  assert.equal((await client.crons.get("report"))!.paused, true);
  await client.crons.set("made", { task: "report", cron: "0 0 1 1 *" });
  await running.stop();
  running = await start(WithoutCrons, options);
  await waitFor(async () => (await client.crons.list()).length === 1, 20_000, "the declared ones to be gone");
  assert.equal((await client.crons.list())[0]!.name, "made");
  await assert.rejects(
    client.crons.set("bad", { task: "report", cron: "nonsense" }),
    /"nonsense" is not a valid schedule/,
  );
  await assert.rejects(client.crons.delete("unknown"), TypeError);
  await client.close();
  await running.stop();
  await server.stop();
});

test("a schedule on what is no task, and two of one name, are refused", () => {
  class NoTask {
    @Cron("* * * * *") async tick() {}
  }
  assert.throws(() => Worker(1)(NoTask), /the method is not a task; write @Task\(\) above it/);
  class Twice {
    @Task() @Cron("* * * * *") @Cron("0 * * * *") async tick() {}
  }
  assert.throws(() => Worker(1)(Twice), /two of them are named "tick"; name them/);
  assert.throws(() => Cron("* * *"), /is not a valid schedule/);
});
