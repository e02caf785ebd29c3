// What a run says survives the processes: the server dies under a stream, the worker dies or is stopped in the middle of one.
import assert from "node:assert/strict";
import type { StreamChunk } from "../../src/mod.ts";
import type { Runtime } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { Scene } from "./scene.ts";

async function all(chunks: AsyncIterable<StreamChunk>): Promise<StreamChunk[]> {
  const found: StreamChunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}
const valuesOf = (chunks: readonly StreamChunk[]) => chunks.map(({ value }) => value);
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Every chunk once and in order, for who was there and for who came later. */
async function survivesServer(runtime: Runtime): Promise<void> {
  await using scene = await Scene.open(`talk-server-${runtime}`);
  await scene.engine("leader", runtime);
  await scene.worker({ runtime });
  const client = await scene.client();
  const run = await client.task("talk").enqueue({ count: 1_500, ms: 2 });
  const live: unknown[] = [];
  for await (const { value } of run.stream()) {
    live.push(value);
    if (live.length !== 200) continue;
    await scene.server.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await scene.server.restart();
  }
  assert.deepEqual(live, numbers(1_500));
  assert.deepEqual(valuesOf(await all(run.stream())), numbers(1_500));
  assert.equal((await run.status()).state, "completed");
  assert.equal((await run.progress())?.fraction, 1);
}

/** The run is executed again under the same attempt number; the turn tells the two apart. */
async function survivesWorker(runtime: Runtime, end: "killed" | "stopped"): Promise<void> {
  await using scene = await Scene.open(`talk-${end}-${runtime}`);
  await scene.engine("leader", runtime);
  const first = await scene.worker({ runtime, shutdownTimeout: "100ms" });
  const client = await scene.client();
  const run = await client.task("talk").enqueue({ count: 100, ms: 0, hangs: true });
  const live = all(run.stream());
  const newest = all(run.stream({ attempt: "newest" }));
  await scene.journal.until("begin", 1, 30_000);
  for await (const { value } of run.stream()) if (value === 99) break;
  if (end === "killed") await first.kill();
  else first.send("SIGTERM");
  await scene.worker({ runtime });
  const heard = await live;
  assert.deepEqual(valuesOf(heard), [...numbers(100), ...numbers(100)]);
  assert.deepEqual(
    heard.map(({ attempt, turn }) => `${attempt} ${turn}`),
    [...numbers(100).map(() => "1 1"), ...numbers(100).map(() => "1 2")],
  );
  assert.deepEqual(valuesOf(await newest), valuesOf(heard)); // it was there while each of them was the newest
  assert.deepEqual(valuesOf(await all(run.stream({ attempt: "newest" }))), numbers(100));
  const processes: string[] = [];
  for await (const { message } of run.logs()) processes.push(message);
  assert.deepEqual(
    processes,
    scene.journal.read("begin").map(({ pid }) => `in process ${pid}`),
  );
}

for (const runtime of ["bun", "deno"] as const) {
  test(`${runtime}: the server is killed in the middle of a stream`, () => survivesServer(runtime), 90_000);
  for (const end of ["killed", "stopped"] as const)
    test(`${runtime}: the worker is ${end} in the middle of a stream`, () => survivesWorker(runtime, end), 90_000);
}
