// `natchet dev --health-port`: the probes follow the worker process that is replaced.
import assert from "node:assert/strict";
import { freePort, probe } from "../health/scene.ts";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { CliScene, runtimes, versionWorker } from "./scene.ts";

describe("natchet dev --health-port", () => {
  for (const runtime of runtimes) {
    test(`is answered by the worker of the newest version, on ${runtime}`, async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const readyId = () =>
        probe(url, "/ready").then(
          ({ status, body }) => (status === 200 ? (body.workers[0].id as string) : undefined),
          () => undefined,
        );
      await using scene = await CliScene.open(runtime);
      await scene.write("worker.ts", versionWorker("one"));
      const dev = scene.start("dev", "--health-port", String(port), "--health-host", "127.0.0.1");
      await waitFor(async () => (await readyId()) !== undefined, 30_000, dev.output);
      const first = await readyId();
      await scene.write("worker.ts", versionWorker("two"));
      await dev.said("reloaded");
      await waitFor(async () => ![undefined, first].includes(await readyId()), 30_000, dev.output);
      dev.send("SIGINT");
      assert.equal(await dev.exited, 0, dev.output());
      await assert.rejects(fetch(url));
    }, 120_000);
  }
});
