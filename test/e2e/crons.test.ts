// A schedule of every second, and a leader that is killed in the very moment of a tick.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { Scene } from "./scene.ts";

test("the leader is killed by SIGKILL at a tick: every second one run, none twice, none missing", async () => {
  await using scene = await Scene.open("crons");
  const leader = await scene.engine("leader");
  const standby = await scene.engine("standby");
  await scene.worker({ slots: 5 });
  const client = await scene.client();
  await client.crons.set("every-second", { task: "work", cron: "* * * * * *", input: { ms: 1 } });
  const ticks = async () => {
    const { runs } = await client.list({ task: "work" }, { limit: 100 });
    return runs.map((run) => Date.parse(run.metadata["natchet.tick"]!)).sort();
  };
  await waitFor(async () => (await ticks()).length >= 3, 10_000, "three ticks");
  await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
  await leader.kill();
  await standby.said("engine leads", 10_000);
  const before = (await ticks()).length;
  await waitFor(async () => (await ticks()).length >= before + 4, 15_000, "four ticks more");
  const all = await ticks();
  all.forEach((at, i) => {
    if (i > 0)
      assert.equal(
        at - all[i - 1]!,
        1_000,
        `ticks ${new Date(all[i - 1]!).toISOString()} and ${new Date(at).toISOString()}`,
      );
  });
  await client.crons.delete("every-second");
  assert.deepEqual(await client.crons.list(), []);
}, 60_000);
