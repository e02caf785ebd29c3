// No wait depends on one message: whatever is lost, the client asks again.
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { ResultNotAwaited, RunCancelled, StoreUnavailable } from "../../../src/domain/errors.ts";
import { jsonBytes, noBytes } from "../../../src/wire/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../../src/wire/outcome-entry.ts";
import { waiterOf } from "../../../src/wire/result-inbox.ts";
import { afterAll, beforeAll, test } from "../../support/harness.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { waitFor } from "../../support/wait-for.ts";
import { openScene, type Scene } from "../scene.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

test("a result that was not forwarded is asked for after a while", async () => {
  await using scene = await openScene(server, (_, input) => ({ kind: "completed", output: input }));
  scene.engine.forwards = false;
  assert.equal(await scene.client.task("a").run(5), 5);
  assert.equal(scene.engine.asked.length, 1);
}, 20_000);

test("without an engine a wait goes on, and the next engine is asked as soon as it leads", async () => {
  await using scene = await openScene(server, () => undefined);
  scene.engine.resign();
  const run = await scene.client.task<number, number>("a").enqueue(1, { id: "1" });
  const result = run.result();
  await assert.rejects(run.result({ timeout: "50ms" }), (error) => error instanceof ResultNotAwaited);
  scene.engine.finish("a/1", { kind: "completed", output: 7 });
  assert.equal(scene.engine.asked.length, 0);
  scene.engine.lead();
  scene.engine.announce(2);
  assert.equal(await result, 7);
}, 20_000);

test("runs created and waits begun while the server is away survive it", async () => {
  const own = await startNatsServer();
  const scene = await openScene(own, (_, input) => ({ kind: "completed", output: input }));
  try {
    const task = scene.client.task<number, number>("a");
    await task.run(0);
    await own.kill();
    const results = Array.from({ length: 50 }, (_, n) => task.run(n, { id: `n${n}` }));
    await own.restart();
    assert.deepEqual(
      await Promise.all(results),
      Array.from({ length: 50 }, (_, n) => n),
    );
  } finally {
    await scene[Symbol.asyncDispose]();
    await own.stop();
  }
}, 40_000);

test("garbage in the inbox changes nothing", async () => {
  await using scene = await openScene(server, () => undefined);
  const result = (await scene.client.task<number, number>("a").enqueue(1, { id: "1" })).result();
  await waitFor(() => scene.engine.asked.length > 0, 20_000, "the client to ask");
  scene.engine.send(scene.engine.asked[0]!.inbox, new Uint8Array([1, 2, 3]));
  scene.engine.finish("a/1", { kind: "completed", output: 3 });
  assert.equal(await result, 3);
});

/** A worker's outcome of a run, or an engine's, as it stands in the log. */
function storeOutcome(
  { nc, subjects, engine }: Scene,
  key: string,
  kind: "completed" | "failed" | "cancelled",
  {
    output,
    by = "worker",
    n = 1,
  }: { readonly output?: unknown; readonly by?: "worker" | "engine"; readonly n?: number } = {},
): void {
  const story = { createdAt: 1, priority: 1, attempts: [], reason: "enough", error: { name: "Error", message: "no" } };
  const frame = encodeOutcomeFrame({
    ...{ kind, key, turn: 1, attempt: 1, origin: 1, at: 2, dueAt: 0 },
    ...{ detail: jsonBytes(story), input: noBytes, output: jsonBytes(output) },
  });
  const waiter = waiterOf(engine.runs.get(key)!.inbox);
  nc.publish(subjects.outcome(by, by === "engine" ? "e1" : "w1", n, waiter), encodeOutcomeEntry(by, [frame]));
}

/** Begins a run that the engine knows, and says nothing of. */
async function beginRun(scene: Scene): Promise<{ readonly key: string; readonly output: Promise<unknown> }> {
  scene.engine.forwards = false;
  const output = scene.client.task("a").run(1);
  output.catch(() => {});
  await waitFor(() => scene.engine.runs.size > 0, 20_000, "the run to be stored");
  return { key: [...scene.engine.runs.keys()][0]!, output };
}

test("the log tells a result by itself", async () => {
  await using scene = await openScene(server, () => undefined);
  const { key, output } = await beginRun(scene);
  storeOutcome(scene, key, "completed", { output: 7 });
  assert.equal(await output, 7);
  assert.equal(scene.engine.asked.length, 0);
});

test("the log tells that an engine cancelled a run", async () => {
  await using scene = await openScene(server, () => undefined);
  const { key, output } = await beginRun(scene);
  storeOutcome(scene, key, "cancelled", { by: "engine" });
  storeOutcome(scene, key, "completed", { output: 7, n: 2 }); // too late
  await assert.rejects(output, (error) => error instanceof RunCancelled && /enough/.test(error.message));
  assert.equal(scene.engine.asked.length, 0);
});

test("a failure in the log may be a zombie's: the engine says what counts, also of what comes behind it", async () => {
  await using scene = await openScene(server, () => undefined);
  const { key, output } = await beginRun(scene);
  storeOutcome(scene, key, "failed");
  storeOutcome(scene, key, "completed", { output: "of the log", n: 2 });
  await waitFor(() => scene.engine.asked.length > 0, 1_500, "the client to ask at once");
  scene.engine.finish(key, { kind: "completed", output: "of the engine" });
  assert.equal(await output, "of the engine");
});

test("a run under an id of the caller's is told by the engine alone: the log may speak of an earlier one", async () => {
  await using scene = await openScene(server, () => undefined);
  const output = scene.client.task("a").run(1, { id: "mine" });
  await waitFor(() => scene.engine.runs.size === 1, 20_000, "the run to be stored");
  assert.equal(waiterOf(scene.engine.runs.get("a/mine")!.inbox), "");
  scene.engine.finish("a/mine", { kind: "completed", output: 3 });
  assert.equal(await output, 3);
});

test("after a quick run the next one's result is its acknowledgement, and what is slow is asked for and stored once", async () => {
  await using scene = await openScene(server, (_, input) =>
    input === "slow" ? undefined : { kind: "completed", output: input },
  );
  const { client, engine, subjects, nc } = scene;
  const copies: string[] = [];
  nc.subscribe(subjects.runs, {
    callback: (_error, { reply }) => void copies.push(reply === undefined || reply === "" ? "silent" : "asking"),
  });
  await nc.flush();
  const task = client.task<string, string>("a");
  for (const input of ["first", "second"]) assert.equal(await task.run(input), input);
  assert.deepEqual(copies.splice(0), ["asking", "silent"]);
  const slow = task.run("slow");
  await waitFor(() => copies.length === 2, 20_000, "the second copy");
  assert.deepEqual(copies.splice(0), ["silent", "asking"]);
  assert.equal(engine.runs.size, 3);
  engine.finish([...engine.runs.keys()].at(-1)!, { kind: "completed", output: "done" });
  assert.equal(await slow, "done");
  assert.equal(await task.run("third"), "third");
  assert.deepEqual(copies, ["asking"]);
  const manager = await jetstreamManager(nc);
  assert.equal((await manager.streams.info(subjects.stream)).state.messages, 4);
}, 20_000);

test("a wait that was given up does not end another one for the same run", async () => {
  await using scene = await openScene(server, () => undefined);
  const run = await scene.client.task<number, number>("a").enqueue(1, { id: "1" });
  const patient = run.result();
  await assert.rejects(run.result({ timeout: 20 }), /stopped waiting for run a\/1: no output after 20/);
  await waitFor(() => scene.engine.asked.length > 0, 20_000, "the client to ask");
  scene.engine.finish("a/1", { kind: "completed", output: 3 });
  assert.equal(await patient, 3);
});

test("close: who waits is told so, nothing hangs, and a closed client says that it is closed", async () => {
  const scene = await openScene(server, () => undefined);
  const { client, engine } = scene;
  const run = await client.task("a").enqueue(1);
  const waits = [run.result(), client.task("a").run(2), client.task("a").runMany([3, 4])].map((wait) =>
    wait.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  await waitFor(() => engine.runs.size === 4, 20_000, "all runs to be stored");
  await Promise.all([client.close(), client.close()]);
  for (const error of await Promise.all(waits)) {
    assert.ok(error instanceof ResultNotAwaited);
    assert.match(error.message, /the client was closed; the run itself continues/);
  }
  await assert.rejects(client.task("a").enqueue(1), StoreUnavailable);
  await assert.rejects(run.result(), ResultNotAwaited);
  await assert.rejects(run.status(), /no engine answers .* the client was closed/);
  await scene[Symbol.asyncDispose]();
}, 20_000);
