// Random and mutated entries, registrations and heartbeats into a live fold and its ticks. Whoever may publish can put any bytes under any name
// into the log: whatever stands there is folded or refused as malformed; it never throws, never hangs a tick, and leaves no number behind that
// is none.
import assert from "node:assert/strict";
import { childIdOf } from "../../src/domain/durable.ts";
import { MalformedRecord } from "../../src/domain/errors.ts";
import { encodeBundle, encodeCompactedBundle, isBundle, runsOfBundle } from "../../src/wire/bundle-entry.ts";
import { jsonBytes, utf8 } from "../../src/wire/bytes.ts";
import {
  assertPastMark,
  decodeOutcomeEntry,
  encodeOutcomeEntry,
  encodeOutcomeFrame,
  outcomeKinds,
} from "../../src/wire/outcome-entry.ts";
import { assertRegistration } from "../../src/wire/registration.ts";
import { decodeRunEntry, encodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import { assertPast } from "../../src/wire/run-extra.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { decodeHeartbeat, decodeRegister } from "../../src/wire/worker-messages.ts";
import { declarationOf, only, Scene } from "../scheduler/scene.ts";
import { Random } from "../support/random.ts";
import { type Fuzzer, mutateJson, oddNumbers, without } from "./fuzzer.ts";

const subjects = new Subjects("prod");
const names = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", "plain"];
const deep = (depth: number): unknown => JSON.parse(`${"[".repeat(depth)}1${"]".repeat(depth)}`);

class Hostile extends Scene {
  random: Random;
  refused = 0;

  constructor(random: Random) {
    super({ keepCount: 20, garbageBatch: 10, housekeepingDelayMs: 0, lostLimit: 3 });
    this.random = random;
  }

  /** As the engine reads it from the log. */
  publish(subject: string, bytes: Uint8Array): void {
    try {
      this.#fold(++this.seq, subject, bytes);
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      this.refused++;
    }
  }

  #fold(seq: number, subject: string, bytes: Uint8Array): void {
    if (subjects.isSignal(subject)) {
      this.give({ type: "signal", seq, at: this.now, ...subjects.parseSignal(subject) });
      return;
    }
    if (!subjects.isRun(subject)) {
      const { writer, by: author } = subjects.parseOutcome(subject);
      const { by, outcomes } = decodeOutcomeEntry(bytes, writer, author);
      if (by === "engine")
        for (const outcome of outcomes) if (outcome.kind === "retention") assertPastMark(outcome, seq);
      this.give({ type: "outcomes", seq, at: this.now, by, writer, outcomes });
      return;
    }
    const entry = decodeRunEntry(bytes);
    if (isBundle(entry)) {
      const runs = runsOfBundle(entry);
      for (const { entry: member } of runs) if (member.extra !== undefined) assertPast(member.extra, seq);
      this.give({ type: "bundle", seq, at: this.now, ...subjects.parseBundle(subject), runs });
      return;
    }
    if (entry.extra !== undefined) assertPast(entry.extra, seq);
    this.give({ type: "entry", seq, at: this.now, ...subjects.parseRun(subject), entry });
  }

  number(usual: number): number {
    return this.random.chance(0.15) ? this.random.pick(oddNumbers) : usual;
  }
  get name(): string {
    return this.random.chance(0.05)
      ? this.random.pick(["*", "$", "a/b", "ä", "x".repeat(65)])
      : this.random.pick(names);
  }
  get key(): string {
    return `${this.name}/${this.id}`;
  }
  /** Also of what may be a child of some run. */
  get id(): string {
    const { random } = this;
    if (!random.chance(0.2)) return String(random.whole(0, 9));
    const origin = random.pick([...this.state.live.values()].map((run) => run.origin).concat(1));
    const place = { origin, lap: random.whole(1, 2), ordinal: random.whole(0, 2), place: random.whole(0, 2) };
    return random.chance(0.1) ? "~1.0.x" : childIdOf(place);
  }
  get parked(): unknown {
    const { random } = this;
    const waits = [
      { kind: "timer", ordinal: 0, deadline: this.number(this.now + 1_000) },
      { kind: "signal", ordinal: 1, name: "go" },
      { kind: "children", ordinal: 2, task: random.pick(names), size: this.number(2), failFast: random.chance(0.5) },
    ].filter(() => random.chance(0.6));
    const blocked = random.chance(0.1) && { blocked: { reason: "code", codes: ["a"] } };
    const told = {
      lap: this.number(1),
      ops: this.number(3),
      waits,
      cursors: { go: this.number(1) },
      journalSeq: 1,
      ...blocked,
    };
    return random.chance(0.2) ? mutateJson(random, told) : told;
  }
  anything(): unknown {
    const { random } = this;
    const values = [null, 1, "text", [], {}, [[]], { a: 1 }, deep(100), { [random.pick(names)]: "x" }, true];
    return random.pick(values);
  }
  sometimes(usual: unknown): unknown {
    return this.random.chance(0.2) ? this.anything() : usual;
  }
  /** Numbers of the fixed part of a record, as nobody would write them. */
  spoil(bytes: Uint8Array, places: readonly number[]): Uint8Array {
    const { random } = this;
    const copy = bytes.slice();
    const view = new DataView(copy.buffer);
    if (random.chance(0.2)) view.setFloat64(random.pick(places), random.pick(oddNumbers), true);
    if (random.chance(0.05)) copy[random.whole(0, Math.min(copy.length, 80) - 1)] = random.whole(0, 255);
    return random.chance(0.02) ? copy.subarray(0, random.whole(0, copy.length)) : copy;
  }
}

function attemptIn(scene: Hostile): unknown {
  const attempt = { attempt: scene.number(1), turn: scene.number(1), worker: scene.sometimes("w1") };
  const error = scene.sometimes({ name: "E", message: scene.sometimes("m"), errors: scene.sometimes([]) });
  return scene.sometimes({ ...attempt, startedAt: scene.number(1), endedAt: scene.number(2), outcome: "retry", error });
}

function entryIn(scene: Hostile): RunEntry {
  const { random } = scene;
  const form = random.pick([0, 0, 0, 1, 2] as const);
  const place = { asOf: scene.number(scene.seq), origin: scene.number(random.whole(1, scene.seq + 1)) };
  const ended = { kind: scene.sometimes("failed"), seq: scene.number(1), index: scene.number(0), at: scene.number(1) };
  const times = { dueAt: 0, readyAt: scene.number(scene.now), retrying: scene.sometimes(false) };
  const live = { turn: scene.number(2), attempt: scene.number(1), lost: scene.number(1), history: [attemptIn(scene)] };
  const rule = { label: random.pick(names), value: 1, comparator: scene.sometimes("="), required: true, weight: 1 };
  const parked = random.chance(0.2) ? { parked: scene.parked } : {};
  const extra = {
    metadata: scene.sometimes({ [random.pick(names)]: "v", "natchet.parent": scene.key }),
    ...(random.chance(0.2) && { placement: scene.sometimes({ affinity: scene.sometimes([scene.sometimes(rule)]) }) }),
    ...(form > 0 && {
      state: scene.sometimes({ ...place, ...(form === 1 ? { ...times, ...live, ...parked } : ended) }),
    }),
  };
  return {
    form,
    priority: random.chance(0.2) ? 255 : random.whole(0, 9),
    createdAt: scene.number(scene.now),
    dueAt: random.chance(0.3) ? scene.number(scene.now + 2_000) : 0,
    scheduleTimeoutMs: random.pick([undefined, null, scene.number(5_000)]),
    inbox: random.pick(["", "_INBOX.a.new"]),
    extra: (random.chance(0.5) || form > 0 ? extra : undefined) as never,
    input: utf8(random.pick(["", "{", '{"a":1}', "[".repeat(5_000)])),
  };
}

function createRun(scene: Hostile): void {
  const { random, name } = scene;
  const ids = [scene.id, scene.id];
  const places = [4, 12, 20];
  if (random.chance(0.7)) {
    scene.publish(subjects.run(name, ids[0]!), scene.spoil(encodeRunEntry(entryIn(scene)), places));
    return;
  }
  const members = ids.map((id) => ({ id, entry: entryIn(scene) }));
  const inputs = members.map(({ entry }) => entry.input);
  const bundle = random.chance(0.5)
    ? encodeBundle({ ...entryIn(scene), form: 3 }, ids, inputs)
    : encodeCompactedBundle(members);
  scene.publish(subjects.bundle(name, "b1"), scene.spoil(bundle, places));
}

function endRuns(scene: Hostile): void {
  const { random } = scene;
  const frames = Array.from({ length: random.whole(0, 3) }, () => {
    const key = random.chance(0.5) ? ([...scene.state.live.values()][0]?.key ?? scene.key) : scene.key;
    const live = scene.state.live.get(key);
    const story = { createdAt: scene.number(1), priority: 1, attempts: scene.sometimes([attemptIn(scene)]) };
    const kind = random.pick(outcomeKinds);
    const told = kind === "parked" ? scene.parked : scene.sometimes({ attempt: attemptIn(scene), ...story });
    const frame = encodeOutcomeFrame({
      kind,
      key,
      turn: live?.turn ?? 1,
      attempt: 1,
      origin: live?.origin ?? 1,
      at: scene.number(scene.now),
      dueAt: scene.number(scene.now + 1_000),
      detail: random.chance(0.1) ? utf8("{") : jsonBytes(told),
      input: utf8(""),
      output: utf8("1"),
    });
    return scene.spoil(frame, [16, 24, 32]);
  });
  const by = random.pick(["worker", "engine"] as const);
  scene.publish(subjects.outcome(by, by === "engine" ? "e7" : "w1", scene.seq), encodeOutcomeEntry(by, frames));
}

function hearWorker(scene: Hostile): void {
  const { random } = scene;
  const held = { key: scene.key, turn: scene.number(1), origin: scene.number(1), startedAt: scene.number(scene.now) };
  const executing = random.chance(0.5) ? [held] : [];
  const task = {
    ...declarationOf(random.pick(names)),
    priority: scene.number(1),
    scheduleTimeoutMs: scene.number(3_000),
    ...(random.chance(0.3) && { durable: scene.sometimes({ version: 1, code: "a", deadlineMs: scene.number(5_000) }) }),
  };
  const rate = { key: "metadata.toString", limit: scene.number(2), perMs: scene.number(1_000), units: "input.a" };
  const limits = {
    concurrency: [{ key: "input.a", max: scene.number(1), strategy: "cancel-newest" }],
    rateLimits: [rate],
  };
  const policies = random.pick([undefined, limits, { slots: scene.number(2) }, { sticky: "soft" }]);
  const about = { v: 2, id: "w1", name: "w", slots: scene.number(3), labels: { [random.pick(names)]: 1 } };
  const message = { ...about, runtime: "r", version: "1", quiet: false, tasks: [{ ...task, policies }], executing };
  try {
    if (random.chance(0.3)) {
      const registration = decodeRegister(jsonBytes(message));
      assertRegistration(registration);
      scene.give({ type: "register", message: registration });
    }
    const beat = jsonBytes({ id: "w1", executing, quiet: false, lagMs: scene.number(1) });
    scene.give({ type: "heartbeat", message: decodeHeartbeat(beat) });
  } catch (error) {
    if (!(error instanceof MalformedRecord || error instanceof TypeError || error instanceof RangeError)) throw error;
    // What is refused is refused before anything has changed, by sentences of ours.
    if (!(error instanceof MalformedRecord) && !/worker|task/.test(error.message)) throw error;
  }
}

function act(scene: Hostile): void {
  const { random } = scene;
  const dice = random.next();
  if (dice < 0.37) createRun(scene);
  else if (dice < 0.4) scene.publish(subjects.signal(scene.key, random.pick(["go", "$", ""]), "t"), utf8("1"));
  else if (dice < 0.6) endRuns(scene);
  else if (dice < 0.7) hearWorker(scene);
  else if (dice < 0.75) scene.give({ type: "cancel", keys: [scene.key], reason: "r" });
  else if (dice < 0.77)
    scene.give({ type: "pauses", pauses: { namespace: false, tasks: [], workers: [], resumedAt: {} } });
  else if (dice < 0.78) {
    scene.give({ type: "stepDown" });
    scene.give({ type: "lead", epoch: 8, knownWorkers: random.chance(0.5) ? ["w1"] : [] });
  } else {
    scene.pass(random.whole(0, 2_000));
    const commands = scene.tick();
    JSON.stringify(commands.filter(({ type }) => type === "append" || type === "compact"));
    scene.acknowledge(commands);
    scene.answerPurges(commands);
    if (random.chance(0.8)) scene.store(commands);
    for (const { run } of only(commands, "readInput"))
      scene.give(random.chance(0.5) ? { type: "inputGone", run } : { type: "input", run, input: utf8('{"a":1}') });
    for (const { rates } of only(commands, "storeRates")) scene.give({ type: "ratesStored", rates });
    for (const { task, name, expectSeq } of only(commands, "compact"))
      scene.give({ type: "compactionRefused", task, name, expectSeq });
  }
}

function assertSound({ state }: Hostile): void {
  const { due, timeouts, queueIndex, queues } = state.leadership!.matching;
  const moments = [...due, ...timeouts, ...queueIndex.expiries].map(({ at }) => at);
  assert.ok(moments.every((at) => at >= 0));
  const counts = [...queues.values()].flatMap((queue) => Object.values(queue.counts).slice(0, 5));
  assert.ok(counts.every((count) => count >= 0));
  for (const worker of state.workers.values()) assert.ok(Number.isFinite(worker.busy));
}

/** A life of the scheduler: each of its actions is made from a seed of its own, so that it can be left out. */
export const scheduler: Fuzzer<readonly number[]> = {
  name: "scheduler",
  make: (random) => Array.from({ length: 250 }, () => random.whole(0, 2 ** 31 - 1)),
  check: (seeds) => {
    const scene = new Hostile(new Random(0));
    for (const seed of seeds) {
      scene.random = new Random(seed);
      act(scene);
    }
    assertSound(scene);
  },
  size: (seeds) => seeds.length,
  smaller: without,
  show: (seeds) => `${seeds.length} actions, by seeds ${seeds.join(", ")}`,
};
