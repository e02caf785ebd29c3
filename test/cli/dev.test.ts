// `natchet dev` in a folder of its own, with its embedded server; `natchet run` in another process finds it.
import assert from "node:assert/strict";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { CliScene, runtimes, versionWorker } from "./scene.ts";

describe("natchet dev", () => {
  for (const runtime of runtimes) {
    test(`reloads on change, keeps the old worker on a syntax error, drains on SIGINT, on ${runtime}`, async () => {
      await using scene = await CliScene.open(runtime);
      await scene.write("worker.ts", versionWorker("one"));
      const dev = scene.start("dev");
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"one"\n' });

      const slow = scene.natchet("run", "slow", '{"ms":3000}');
      await waitFor(
        async () => (await scene.natchet("runs", "list", "--state", "running")).output.includes("slow"),
        20_000,
        "slow",
      );
      await scene.write("worker.ts", versionWorker("two"));
      await dev.said("reloaded");
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"two"\n' });
      assert.deepEqual(await slow, { code: 0, output: '"slow one"\n' });

      await scene.write("worker.ts", "this is no TypeScript {");
      await dev.said("the previous one keeps working");
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"two"\n' });

      dev.send("SIGINT");
      assert.equal(await dev.exited, 0, dev.output());
    }, 120_000);
  }
});
