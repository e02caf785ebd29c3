// Bundles on a real server: inputs that are read back, compaction under the sequence of the entry, and a leader that begins anew.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { keyOf } from "../../src/domain/run.ts";
import { type EngineOptions, makeEngine } from "../../src/engine/engine.ts";
import type { RunningEngine } from "../../src/engine/running-engine.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher, type Publisher } from "../../src/nats/publisher.ts";
import { newestFromLeader } from "../../src/nats/stored-message.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { encodeBundle, runsOfBundle } from "../../src/wire/bundle-entry.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { leanEntries } from "../../src/wire/lean-story.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { decodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { readRun } from "./read-run.ts";

const subjects = new Subjects("test");
const shared: RunEntry = {
  form: 0,
  priority: 0,
  createdAt: Date.now(),
  dueAt: 0,
  scheduleTimeoutMs: null,
  inbox: "",
  extra: undefined,
  input: noBytes,
};

interface Stage {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  bundle(name: string, ids: readonly string[]): Promise<void>;
  complete(ids: readonly string[], originOf: (id: string) => number): Promise<void>;
  get(id: string): Promise<any>;
  startEngine(options?: EngineOptions): Promise<{ readonly engine: RunningEngine; stop(): Promise<void> }>;
}

const onStage = (body: (stage: Stage) => Promise<void>) =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    let n = 0;
    await body({
      link,
      publisher,
      async bundle(name, ids) {
        const inputs = ids.map((id) => jsonBytes({ of: id }));
        await publisher.append(subjects.bundle("t", name), encodeBundle(shared, ids, inputs), 0);
      },
      async complete(ids, originOf) {
        const frames = ids.map((id) =>
          encodeOutcomeFrame({
            ...{ kind: "completed", key: keyOf("t", id), turn: 1, attempt: 1, origin: originOf(id), at: Date.now() },
            ...{ dueAt: 0, detail: noBytes, input: noBytes, output: jsonBytes(`of ${id}`) },
          }),
        );
        await publisher.append(subjects.outcome("worker", "w1", ++n), encodeOutcomeEntry("worker", frames), 0);
      },
      get: (id) => readRun(link, subjects, keyOf("t", id)),
      async startEngine(options = {}) {
        const scope = await Effect.runPromise(Scope.make());
        const parts = { link, publisher, subjects, log: silentLog };
        const engine = await Effect.runPromise(Scope.provide(makeEngine(parts, options), scope));
        await engine.whenLeading();
        return { engine, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) };
      },
    });
  });

test("inputs of a bundle are found, also when the engine kept none of them", () =>
  onStage(async ({ bundle, get, startEngine }) => {
    await bundle("many", ["a", "b", "c"]);
    const { stop } = await startEngine({ scheduler: { inputBudgetBytes: 0 } });
    for (const id of ["a", "b", "c"]) assert.deepEqual((await get(id)).input, { of: id });
    await stop();
  }));

test("what is left of a bundle is written in its place, and the next leader finds the same", () =>
  onStage(async ({ link, bundle, complete, get, startEngine }) => {
    const ids = Array.from({ length: 60 }, (_, i) => `r${i}`);
    await bundle("many", ids);
    const scheduler = { garbageBatch: 1, housekeepingDelayMs: 0, keepCount: 10 };
    const first = await startEngine({ scheduler });
    const origins = new Map<string, number>();
    for (const id of ids) origins.set(id, (await get(id)).origin);
    await complete(ids.slice(2, 52), (id) => origins.get(id)!);
    await complete(ids.slice(52), (id) => origins.get(id)!);
    const left = async () => {
      const stored = await newestFromLeader(link, subjects.stream, subjects.bundle("t", "many"));
      return stored === undefined ? [] : runsOfBundle(decodeRunEntry(stored.data)).map(({ id }) => id);
    };
    const isCompacted = async () => (await left()).includes("r0") && !(await left()).includes("r2");
    await waitFor(isCompacted, 10_000, "the bundle to be compacted");
    await waitFor(async () => (await get("r2")) === null, 10_000, "finished runs to be forgotten");
    await first.stop();
    const next = await startEngine({ scheduler });
    assert.deepEqual([(await get("r0")).state, (await get("r0")).input], ["queued", { of: "r0" }]);
    assert.equal((await get("r0")).origin, origins.get("r0"));
    assert.equal((await get("r59")).output, "of r59");
    await complete(["r0", "r1"], (id) => origins.get(id)!);
    await waitFor(async () => (await left()).length === 0, 10_000, "the bundle to be purged");
    await next.stop();
  }));

test("a run whose history is too long for an entry is compacted with less of it, and counts on", () => {
  const error = { name: "Error", message: "m".repeat(1_000), stack: "s".repeat(2_000) };
  const record = { attempt: 1, turn: 1, worker: "w", startedAt: 1, endedAt: 2, outcome: "retry" as const, error };
  const state = { asOf: 9, origin: 4, turn: 31, attempt: 31, lost: 0, dueAt: 0, readyAt: 5, retrying: true };
  const entry = { ...shared, extra: { state: { ...state, history: Array.from({ length: 30 }, () => record) } } };
  const sizes = leanEntries.map((lean) => JSON.stringify(lean(entry).extra).length);
  assert.deepEqual(
    sizes.toSorted((a, b) => b - a),
    sizes,
  );
  assert.ok(sizes.at(-1)! < 400, String(sizes));
  const barest = leanEntries.at(-1)!(entry).extra!.state as unknown as Record<string, unknown>;
  assert.deepEqual([barest["turn"], barest["attempt"], (barest["history"] as unknown[]).length], [31, 31, 1]);
});
