// Entries that stay for their inputs, on a real server: moved with what they hold, found by the next leader, gone when their run is forgotten.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { keyOf } from "../../src/domain/run.ts";
import { makeEngine } from "../../src/engine/engine.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { newestFromLeader } from "../../src/nats/stored-message.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { largestCarriedInput } from "../../src/wire/carried-input.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { decodeRunEntry, encodeRunEntry, runForm } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { readRun } from "./read-run.ts";

const subjects = new Subjects("test");
const large = "x".repeat(largestCarriedInput);

test("an entry that stays for its input moves with it, and goes when its run is forgotten", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const create = async (id: string, input: string) => {
      const times = { createdAt: Date.now(), dueAt: 0, scheduleTimeoutMs: null };
      const entry = { form: 0, priority: 0, ...times, inbox: "", extra: undefined, input: jsonBytes(input) } as const;
      const stored = await publisher.append(subjects.run("t", id), encodeRunEntry(entry), 0);
      assert.ok(stored.ok);
      return stored.seq;
    };
    const complete = async (id: string, origin: number, inputStays: boolean) => {
      const fixed = { kind: "completed", key: keyOf("t", id), turn: 1, attempt: 1, origin, at: Date.now() } as const;
      const bytes = { detail: noBytes, input: noBytes, output: jsonBytes(`of ${id}`) };
      const frame = encodeOutcomeFrame({ ...fixed, dueAt: 0, ...bytes, inputStays });
      await publisher.append(subjects.outcome("worker", "w1", origin), encodeOutcomeEntry("worker", [frame]), 0);
    };
    const get = (id: string) => readRun(link, subjects, keyOf("t", id));
    const standing = () => newestFromLeader(link, subjects.stream, subjects.run("t", "large"));
    const lead = async () => {
      const scope = await Effect.runPromise(Scope.make());
      const scheduler = { garbageBatch: 1, housekeepingDelayMs: 0, singlePurges: 3, keepCount: 2 };
      const engine = await Effect.runPromise(
        Scope.provide(makeEngine({ link, publisher, subjects, log: silentLog }, { scheduler }), scope),
      );
      await engine.whenLeading();
      return () => Effect.runPromise(Scope.close(scope, Exit.void));
    };

    const completeSome = async (ids: string) => {
      for (const id of ids) await complete(id, await create(id, id), false);
    };
    const first = await create("large", large);
    await completeSome("abcdefg");
    await complete("large", first, true);
    const stop = await lead();
    await waitFor(async () => (await standing())!.seq > first, 10_000, "the entry to be moved");
    const { form, extra, input } = decodeRunEntry((await standing())!.data);
    assert.deepEqual([form, extra?.state?.origin, input], [runForm.finished, first, jsonBytes(large)]);
    const isPurged = async () => (await newestFromLeader(link, subjects.stream, subjects.run("t", "a"))) === undefined;
    await waitFor(isPurged, 10_000, "what it blocked to be purged");
    const isTold = async () => {
      const { input, output } = (await get("large"))!;
      assert.ok(input === large && output === "of large");
    };
    await isTold();
    await stop();
    const stopNext = await lead();
    await isTold();
    await completeSome("hijklmn");
    await waitFor(async () => (await get("large")) === null, 10_000, "the run to be forgotten");
    await waitFor(async () => (await standing()) === undefined, 10_000, "its entry to go");
    await stopNext();
  }));
