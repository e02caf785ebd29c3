// A namespace as the version before format 2 has left it, recorded by that version: runs that wait, are delayed, retried, lost once, about to
// be cancelled, finished in every way, bundled and compacted, and a retention mark. `expected` is what that version said of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { keyOf, type RunInfo } from "../../src/domain/run.ts";
import { type EngineOptions, makeEngine } from "../../src/engine/engine.ts";
import { currentFormat, formatOf } from "../../src/nats/format.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene, type Scene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { readRun } from "./read-run.ts";

interface Recorded {
  readonly config: StreamConfig;
  readonly entries: readonly { readonly seq: number; readonly subject: string; readonly data: string }[];
  readonly records: readonly { readonly key: string; readonly data: string }[];
  readonly expected: readonly Pick<RunInfo, "task" | "id" | "state">[];
}

const recorded: Recorded = JSON.parse(readFileSync(new URL("fixtures/format-1.json", import.meta.url), "utf8"));
const subjects = new Subjects("old");
const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** The streams as they were, each entry at its sequence. */
async function restore(link: NatsLink): Promise<void> {
  const manager = await jetstreamManager(link.nc);
  const { name, subjects: stored, max_msgs_per_subject, discard, allow_direct } = recorded.config;
  const republish = recorded.config.republish!;
  await manager.streams.add({ name, subjects: stored, republish, max_msgs_per_subject, discard, allow_direct });
  const bucketOf = (bucket: string) => ({ name: `KV_${bucket}`, subjects: [`$KV.${bucket}.>`] });
  await manager.streams.add({ ...bucketOf(subjects.bucket), max_msgs_per_subject: 1, deny_delete: true });
  await manager.streams.add({ ...bucketOf(subjects.leaseBucket), max_msgs_per_subject: 1, deny_delete: true });
  let last = 0;
  for (const { seq, subject, data } of recorded.entries) {
    while (last < seq - 1) await link.nc.request("natchet.old.done.gap.0", `${++last}`); // each replaces the one before
    const expected = headers();
    expected.set("Nats-Expected-Last-Sequence", String(last));
    const reply = await link.nc.request(subject, bytesOf(data), { headers: expected, timeout: 5_000 });
    last = reply.json<{ seq: number }>().seq;
  }
  await manager.streams.purge(name, { filter: "natchet.old.done.gap.0" });
  // Without the list of workers, for whom a leader would wait.
  for (const { key, data } of recorded.records.filter(({ key }) => key !== "workers"))
    await link.nc.request(`$KV.${subjects.bucket}.${key}`, bytesOf(data), { timeout: 5_000 });
}

const inOldScene = (body: (scene: Scene, link: NatsLink) => Promise<void>) =>
  inScene(async (scene) => {
    const link = await scene.link({ namespace: "old" });
    await restore(link);
    await body(scene, link);
  });

async function lead(scene: Scene, link: NatsLink, options: EngineOptions = {}): Promise<() => Promise<void>> {
  const scope = await Effect.runPromise(Scope.make());
  const publisher = await scene.run(makePublisher(link));
  const made = makeEngine({ link, publisher, subjects, log: silentLog }, options);
  const engine = await Effect.runPromise(Scope.provide(made, scope));
  await engine.whenLeading();
  return () => Effect.runPromise(Scope.close(scope, Exit.void));
}

const configOf = async (link: NatsLink, stream: string) =>
  (await (await jetstreamManager(link.nc)).streams.info(stream)).config;

/** What the version before told of a run, without the times: those of a restored log are its own. */
function told(run: RunInfo | null): object {
  const { task, id, state, attempt, priority, metadata, attempts, input, output, error, reason } = run!;
  const known = {
    ...{ task, id, state, attempt, priority, metadata },
    attempts: attempts.map(({ attempt, turn, outcome }) => ({ attempt, turn, outcome })),
    input: typeof input === "string" && input.length > 100 ? { long: input.length } : input,
    ...{ output, error: error?.message, reason },
  };
  return JSON.parse(JSON.stringify(known));
}

const get = (link: NatsLink, { task, id }: { readonly task: string; readonly id: string }) =>
  readRun(link, subjects, keyOf(task, id));

test("format 1: the next version tells the same of every run, and what waits outlives everything that format 1 has written of outcomes", () =>
  inOldScene(async (scene, link) => {
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    // Nobody is left who executes it, and the version before had stored that it shall end.
    const wasRunning = recorded.expected.filter(({ state }) => state === "running");
    const expected = recorded.expected.filter(({ state }) => state !== "running");
    assert.equal(wasRunning.length, 1);
    const stop = await lead(scene, link);
    for (const one of expected) assert.deepEqual(told(await get(link, one)), one);
    await waitFor(async () => (await get(link, wasRunning[0]!))?.state === "cancelled", 20_000, "what ran to end");
    await stop();
    const keen = { garbageBatch: 1, housekeepingDelayMs: 0, singlePurges: 3 };
    const stopNext = await lead(scene, link, { scheduler: { ...keen, keepCount: 0 } });
    const finished = expected.filter(({ state }) => ["completed", "failed", "cancelled"].includes(state));
    await waitFor(async () => (await get(link, finished[0]!)) === null, 20_000, "finished runs to be forgotten");
    const left = async () =>
      (await scene.run(Effect.promise(() => subjectsOf(link)))).filter((subject) => !isNew(subject));
    await waitFor(async () => (await left()).length === 0, 20_000, "all outcomes of format 1 to be purged");
    for (const one of expected) if (!finished.includes(one)) assert.deepEqual(told(await get(link, one)), one);
    await stopNext();
  }));

const isNew = (subject: string): boolean =>
  !subject.startsWith("natchet.old.done.") || /\.done\.(engine|worker)\./.test(subject);
const subjectsOf = async (link: NatsLink): Promise<string[]> => {
  const info = await link.nc.request(`$JS.API.STREAM.INFO.${subjects.stream}`, encodeMessage({ subjects_filter: ">" }));
  return Object.keys(info.json<{ state: { subjects?: Record<string, number> } }>().state.subjects ?? {});
};

test("format 1: who takes the lead raises it, and nobody of the version before can make it what it was", () =>
  inOldScene(async (scene, link) => {
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const before = await configOf(link, subjects.stream);
    assert.deepEqual([formatOf(before), before.subjects], [1, [subjects.runs, subjects.outcomes]]);
    await (await lead(scene, link))();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const after = await configOf(link, subjects.stream);
    assert.deepEqual([formatOf(after), after.republish?.src], [currentFormat, subjects.outcomesForWaiters]);
    const manager = await jetstreamManager(link.nc);
    const asBefore = { subjects: before.subjects, republish: before.republish! };
    await assert.rejects(manager.streams.update(subjects.stream, asBefore), /overlap/);
  }));

test("a namespace of a newer format: engines, workers and clients refuse to start, and one that stands by does not lead", () =>
  inScene(async (scene) => {
    const link = await scene.link({ namespace: "old" });
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const manager = await jetstreamManager(link.nc);
    const said = Promise.withResolvers<unknown>();
    const log = { ...silentLog, error: (message: string, fields?: object) => said.resolve({ message, ...fields }) };
    const config = await configOf(link, subjects.stream);
    await manager.streams.update(subjects.stream, { metadata: { ...config.metadata, "natchet.format": "3" } });
    const reason =
      'namespace "old" has format 3, and this version of natchet reads up to format 2: upgrade this process (docs/production/upgrade.md)';
    for (const user of [undefined, { onDifference: () => {} }])
      await assert.rejects(scene.run(ensureStreams(link, subjects, { replicas: 1 }, user)), { message: reason });
    const publisher = await scene.run(makePublisher(link));
    const engine = await scene.run(makeEngine({ link, publisher, subjects, log }));
    assert.deepEqual(await said.promise, { message: "this engine cannot lead", reason });
    assert.equal(engine.state, "standby");
  }));
