// nats-server goes away and comes back. "The worker that silently stops consuming after an outage" is the fault to exclude:
// work must flow again within 2 s of the server's return, with idle and with busy workers, on Bun and on Deno.
import assert from "node:assert/strict";
import type { Runtime } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { Scene } from "./scene.ts";

const isLong = process.env["NATCHET_TEST_LONG"] === "1";

async function survivesOutage(runtime: Runtime, load: "idle" | "busy", outageMs: number): Promise<void> {
  await using scene = await Scene.open(`outage-${runtime}-${load}-${outageMs}`);
  await scene.engine("leader", runtime);
  const worker = await scene.worker({ runtime });
  const client = await scene.client();
  const task = client.task<{ ms: number }, { pid: number }>("work");
  assert.equal((await task.run({ ms: 1 })).pid, worker.pid);
  const before = load === "busy" ? await task.enqueueMany(Array.from({ length: 20 }, () => ({ ms: 500 }))) : [];
  if (load === "busy") await scene.journal.until("begin", 6, 30_000);
  await scene.server.kill();
  await new Promise((resolve) => setTimeout(resolve, outageMs));
  const begunBefore = scene.journal.read("begin").length;
  await scene.server.restart();
  const backAt = Date.now();
  if (load === "idle") await task.run({ ms: 1 });
  else await scene.journal.until("begin", begunBefore + 1, 30_000);
  const took = Date.now() - backAt;
  assert.ok(took < 2_000, `work flowed again ${took} ms after the server's return`);
  await Promise.all(before.map((run) => run.result()));
  for (const run of before) assert.equal((await run.status()).state, "completed");
  assert.equal((await task.run({ ms: 1 })).pid, worker.pid);
}

for (const runtime of ["bun", "deno"] as const) {
  for (const load of ["idle", "busy"] as const) {
    for (const seconds of isLong ? [1, 10, 60] : [1, 10]) {
      test(
        `${runtime}: ${load} workers, server gone for ${seconds} s`,
        () => survivesOutage(runtime, load, seconds * 1_000),
        150_000,
      );
    }
  }
}
