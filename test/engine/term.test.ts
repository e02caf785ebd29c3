// What the engine itself writes, on a real server: stored in spite of trouble, and a fault that ends a term but not the engine.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { QueueFull } from "../../src/domain/errors.ts";
import { type Log, silentLog } from "../../src/domain/log.ts";
import { makeEngine } from "../../src/engine/engine.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher, type Publisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { jsonBytes } from "../../src/protocol/bytes.ts";
import { encodeMessage } from "../../src/protocol/messages.ts";
import { Neighbours } from "../../src/protocol/neighbours.ts";
import { encodeRunEntry, type RunEntry } from "../../src/protocol/run-entry.ts";
import { Subjects } from "../../src/protocol/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { declarationOf } from "../scheduler/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const subjects = new Subjects("test");
const entry = (scheduleTimeoutMs: number | null): RunEntry => ({
  ...{ form: 0, priority: 0, createdAt: Date.now(), dueAt: 0, scheduleTimeoutMs, inbox: "", extra: undefined },
  input: jsonBytes("input"),
});

interface Stage {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  ask(verb: "get" | "register", request: unknown): Promise<any>;
  startEngine(publisher: Publisher, log?: Log, neighbours?: Neighbours): ReturnType<typeof start>;
}

async function start(link: NatsLink, publisher: Publisher, log: Log, neighbours: Neighbours) {
  const scope = await Effect.runPromise(Scope.make());
  const made = makeEngine({ link, publisher, subjects, log, neighbours }, { payloadBudgetBytes: 0 });
  const engine = await Effect.runPromise(Scope.provide(made, scope));
  await engine.whenLeading();
  return { engine, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) };
}

const onStage = (body: (stage: Stage) => Promise<void>) =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const ask: Stage["ask"] = async (verb, request) =>
      (await link.nc.request(subjects.engine(verb), encodeMessage(request), { timeout: 5_000 })).json();
    const startEngine: Stage["startEngine"] = (through, log = silentLog, neighbours = new Neighbours()) =>
      start(link, through, log, neighbours);
    await body({ link, publisher, ask, startEngine });
  });

/** Refuses the first outcomes that the engine appends, as a full store does. */
function refusing(publisher: Publisher, times: number): Publisher {
  let left = times;
  return Object.assign(Object.create(publisher), {
    append: ((subject, ...rest) => {
      const isRefused = subject.startsWith("natchet.test.done.e") && left-- > 0;
      const full = new QueueFull({ namespace: "test", reason: "the disk is full" });
      return isRefused ? Promise.reject(full) : publisher.append(subject, ...rest);
    }) satisfies Publisher["append"],
  });
}

test("outcomes of the engine that the store refuses are appended until it takes them, one whose input is gone without it", () =>
  onStage(async ({ link, publisher, ask, startEngine }) => {
    for (const id of ["a", "b"]) await publisher.append(subjects.run("t", id), encodeRunEntry(entry(1)), 0);
    const stored = await publisher.append(subjects.run("t", "gone"), encodeRunEntry(entry(1_000)), 0);
    assert.ok(stored.ok);
    const { stop } = await startEngine(refusing(publisher, 3));
    await link.nc.request(`$JS.API.STREAM.MSG.DELETE.${subjects.stream}`, JSON.stringify({ seq: stored.seq }));
    for (const id of ["a", "b", "gone"]) {
      const isCancelled = async () => (await ask("get", { key: `t/${id}` })).run?.state === "cancelled";
      await waitFor(isCancelled, 10_000, `${id} to be cancelled`);
    }
    await stop();
  }));

test("a fault of the scheduler is told, and the engine folds the log anew before it leads again", () =>
  onStage(async ({ publisher, ask, startEngine }) => {
    await publisher.append(subjects.run("t", "a"), encodeRunEntry(entry(null)), 0);
    const told: string[] = [];
    const neighbours = new Neighbours();
    const log = { ...silentLog, error: (message: string) => void told.push(message) };
    const { engine, stop } = await startEngine(publisher, log, neighbours);
    const about = { v: 1, id: "w1", name: "w", slots: 1, labels: {}, runtime: "r", version: "1", quiet: true };
    await ask("register", { ...about, tasks: [declarationOf("t")], executing: [] });
    const { epoch } = engine;
    neighbours.onEnded!("w1", null as never);
    assert.match(told[0]!, /a fault of natchet/);
    assert.equal(engine.state, "standby");
    await waitFor(() => engine.state === "leading", 20_000, "the engine to lead again");
    assert.ok(engine.epoch > epoch);
    assert.equal((await ask("get", { key: "t/a" })).run.state, "queued");
    await stop();
  }));
