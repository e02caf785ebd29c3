// Random programs to their end, with random orders, failures, acknowledgements and crashes; then again from each prefix of their journals.
// By hand: `bun test/worker/durable/stories.ts run 0 5000`, `… write FILE 0 1000`, and `deno run -A … read FILE` for the other engine.
import { readFileSync, writeFileSync } from "node:fs";
import type { Offer, Parked, Wait } from "../../../src/domain/durable.ts";
import type { Delivery } from "../../../src/wire/journal-message.ts";
import { Frame } from "../../../src/worker/durable/frame.ts";
import { historyOf } from "../../../src/worker/durable/history.ts";
import type { StoredRecord } from "../../../src/worker/durable/journal.ts";
import { encodeError } from "../../../src/worker/durable/stored-error.ts";
import { DurableTurn } from "../../../src/worker/durable/turn.ts";
import type { KeptFrame, TurnEnd } from "../../../src/worker/durable/turn-host.ts";
import { Random } from "../../support/random.ts";
import { type Env, execute, type Node, programOf, Stop } from "./programs.ts";
import { hop, MemoryJournal, quiet, WorldClock } from "./world.ts";

export interface Story {
  readonly seed: number;
  readonly records: readonly StoredRecord[];
  /** By the number of records that were there: how many ops were open, and lines noted; undefined where that is not known. */
  readonly opsAt: readonly (number | undefined)[];
  readonly traceAt: readonly (number | undefined)[];
  readonly ops: number;
  readonly trace: readonly string[];
  readonly outcome: string;
  readonly crashes: number;
  /** Steps that began although their result was stored. */
  readonly repeated: number;
}

const createdAt = 1_000_000;
const noChildren = { create: async () => {}, read: async () => [] };

const outcomeOf = (end: TurnEnd): string =>
  end.kind === "completed"
    ? `completed ${end.output}`
    : end.kind === "failed"
      ? `failed ${encodeError(end.error)}`
      : end.kind;

const codeFor =
  (program: Node, trace: string[], start: Env["start"]) =>
  (frame: Frame): Promise<number> =>
    execute(program, { frame, trace, start }).catch((error) => {
      if (!(error instanceof Stop)) trace.push(`threw ${String(error)}`);
      throw error;
    });

/** The process that executes the program just now. */
interface Life {
  trace: string[];
  steps: {
    readonly ordinal: number;
    readonly done: (value: unknown) => void;
    readonly fail: (error: unknown) => void;
  }[];
  acks: (() => void)[];
  isDead: boolean;
  /** After so many records; not at all when it is infinite. */
  crashesAt: number;
  written: number;
}

/** Undefined when the program waits for what never comes. */
export async function live(seed: number, program: Node): Promise<Story | undefined> {
  const random = new Random(seed ^ 0x5bd1e995);
  const journal = new MemoryJournal();
  const clock = new WorldClock(createdAt);
  const recorded = new Set<number>();
  const opsAt: (number | undefined)[] = [];
  const traceAt: (number | undefined)[] = [];
  const failing = seed % 2 === 0 ? 0.02 : 0.2;
  let [repeated, crashes, attempts, sequence] = [0, 0, 0, 0];
  let parked: Parked | undefined;
  let kept: KeptFrame | undefined;
  let frame: Frame | undefined;
  let end: TurnEnd | undefined;
  const newLife = (): Life => ({
    ...{ trace: [], steps: [], acks: [], isDead: false, written: 0 },
    crashesAt: random.chance(0.4) && crashes < 2 ? random.whole(1, 6) : Number.POSITIVE_INFINITY,
  });
  let life = newLife();

  const { append } = journal;
  journal.append = async (...args) => {
    const mine = life;
    const { length } = journal.records;
    if (frame !== undefined) {
      opsAt[length] = frame.ops.count;
      traceAt[length] = mine.trace.length;
    }
    mine.written += 1;
    const crashesNow = mine.written >= mine.crashesAt;
    if (mine.isDead || (crashesNow && random.chance(0.5))) {
      mine.isDead = true;
      return new Promise(() => {});
    }
    const seq = await append.apply(journal, args);
    for (const { form, ordinal } of journal.deliveries) if (form !== "retry") recorded.add(ordinal);
    if (crashesNow) {
      mine.isDead = true;
      return new Promise(() => {});
    }
    if (random.chance(0.5)) await new Promise<void>((done) => mine.acks.push(done));
    return seq;
  };

  const start = (ordinal: number): Promise<unknown> => {
    if (recorded.has(ordinal)) repeated += 1;
    if (random.chance(0.15))
      return random.next() > failing * 2 ? Promise.resolve(random.whole(0, 9)) : Promise.reject(new Stop("at once"));
    return new Promise((done, fail) => life.steps.push({ ordinal, done, fail }));
  };

  const begin = (turnNumber: number, offers: readonly Offer[]): void => {
    const attempt = ++attempts;
    const mine = life;
    const host = { journal, clock, log: quiet, graceMs: 0, code: "a", isHeard: () => true, newAttempt: () => attempt };
    const given = {
      ...{ key: "p/1", origin: 1, turn: turnNumber, createdAt, input: "", children: noChildren, id: `p${seed}` },
      resume: parked && { parked, offers },
      codeFor: async () => (made: Frame) => {
        frame = made;
        return codeFor(program, mine.trace, start)(made);
      },
    };
    end = undefined;
    const turn: DurableTurn = new DurableTurn(host, given, (ended) => {
      if (mine === life) end = ended;
    });
    turn.begin(kept);
    kept = undefined;
  };

  const offerFor = (wait: Wait): Offer => {
    sequence += 1;
    const { ordinal } = wait;
    if (wait.kind !== "signal") return { kind: "timer", ordinal, time: clock.time, sequence: 0 };
    return { kind: "signal", name: wait.name, time: clock.time, sequence, data: random.whole(0, 9) };
  };

  let turns = 1;
  begin(turns, []);
  for (let idle = 0; idle < 400; idle++) {
    await hop();
    clock.time += 1;
    clock.ring();
    if (life.isDead) {
      if (++crashes > 3) return undefined;
      life = newLife();
      frame = undefined;
      kept = undefined;
      begin(++turns, []);
      continue;
    }
    if (end?.kind === "parked") {
      if (parked === undefined || end.parked.blocked === undefined) parked = end.parked;
      if (end.parked.blocked !== undefined) break;
      idle = 0;
      if (random.chance(0.5)) ({ kept } = end);
      else {
        life = { ...newLife(), crashesAt: life.crashesAt, written: life.written };
        frame = undefined;
      }
      begin(++turns, [offerFor(random.pick(parked.waits))]);
      continue;
    }
    if (end !== undefined) break;
    if (life.acks.length > 0 && random.chance(0.6)) life.acks.shift()!();
    while (life.steps.length > 0 && random.chance(0.55)) {
      idle = 0;
      const [one] = life.steps.splice(random.whole(0, life.steps.length - 1), 1);
      if (!random.chance(failing)) one!.done(random.whole(0, 9));
      else one!.fail(random.chance(0.5) ? new Stop(`f${one!.ordinal}`) : new TypeError("t", { cause: new Stop("c") }));
    }
  }
  if (end === undefined) return undefined;
  const outcome = end.kind === "parked" ? `blocked: ${end.parked.blocked?.reason}` : outcomeOf(end);
  const { records } = journal;
  return { seed, records, opsAt, traceAt, ops: frame!.ops.count, trace: life.trace, outcome, crashes, repeated };
}

/** What the code does with the first records, and nothing else. */
async function replay(story: Story, program: Node, records: number) {
  const trace: string[] = [];
  const started: number[] = [];
  const first = story.records.slice(0, records);
  const { deliveries } = historyOf(first, Number.MAX_SAFE_INTEGER)!;
  let outcome: string | undefined;
  const never = (ordinal: number) => {
    started.push(ordinal);
    return new Promise(() => {});
  };
  const frame = new Frame(
    { id: `p${story.seed}`, lap: 1, time: createdAt, cursors: {} },
    codeFor(program, trace, never),
  );
  frame.begin(
    {
      stands: () => false,
      ended: (threw, value) => {
        outcome = threw ? `failed ${encodeError(value)}` : `completed ${value}`;
      },
      blocked: (message) => {
        outcome = `blocked: ${message}`;
      },
      warned: () => {},
    },
    deliveries,
  );
  for (let i = 0; i < 4 + deliveries.length / 200; i++) await hop();
  const { count } = frame.ops;
  frame.drop();
  return { trace, started, outcome, ops: count, deliveries };
}

/** Engines word the error of Promise.any, and write stacks, each in their own way. */
const alike = (text: string | undefined): string =>
  String(text)
    .replaceAll(/"stack":"(?:[^"\\]|\\.)*",?/g, "")
    .replaceAll("All promises were rejected", "")
    .replaceAll("AggregateError: ", "AggregateError")
    .replaceAll(',"cause":{"is":"value"}', "");

/** What is wrong with a story; undefined when each of its prefixes says the same. */
export async function problemOf(story: Story, program: Node, prefixes: readonly number[]): Promise<string | undefined> {
  for (const k of prefixes) {
    const { trace, started, outcome, ops, deliveries } = await replay(story, program, k);
    const isAll = k === story.records.length;
    const knownTrace = isAll ? story.trace.length : story.traceAt[k];
    if (isAll && alike(outcome) !== alike(story.outcome))
      return `outcome ${alike(outcome)}, not ${alike(story.outcome)}`;
    if (!isAll && outcome !== undefined) return `prefix ${k} ended: ${outcome}`;
    const knownOps = isAll ? story.ops : story.opsAt[k];
    if (knownOps !== undefined && knownOps !== ops) return `prefix ${k}: ${ops} ops, not ${knownOps}`;
    const before = story.trace.slice(0, knownTrace);
    if (knownTrace !== undefined && alike(trace.join()) !== alike(before.join())) return `prefix ${k}: trace differs`;
    const recorded = new Set(deliveries.map((delivery: Delivery) => delivery.ordinal));
    if (started.some((ordinal) => recorded.has(ordinal))) return `prefix ${k}: a recorded step began`;
  }
  return undefined;
}

/** A program to its end, and what is wrong with it. */
export async function tell(seed: number): Promise<{ readonly story?: Story; readonly problem?: string | undefined }> {
  const program = programOf(seed);
  const story = await live(seed, program);
  if (story === undefined) return {};
  const { length } = story.records;
  if (story.outcome.startsWith("blocked")) return { story, problem: story.outcome };
  if (story.repeated > 0) return { story, problem: `${story.repeated} steps began although their results were stored` };
  const context = story.trace.find((line) => line.endsWith("CONTEXT"));
  if (context !== undefined) return { story, problem: context };
  const all = Array.from({ length: length + 1 }, (_, k) => k);
  return { story, problem: await problemOf(story, program, seed % 4 === 0 ? all : [length >> 1, length]) };
}

async function byHand([mode, ...rest]: string[]): Promise<void> {
  const tally = { programs: 0, stuck: 0, records: 0, ops: 0, crashes: 0, failures: 0 };
  const fail = (seed: number, problem: string) => {
    tally.failures += 1;
    console.log(`${seed}: ${problem}`);
  };
  if (mode === "read") {
    for (const line of readFileSync(rest[0]!, "utf8").split("\n")) {
      const told = JSON.parse(line) as Story & { readonly data: string[] };
      const records = told.data.map((data, i) => ({ seq: i + 1, data: Uint8Array.from(Buffer.from(data, "base64")) }));
      const problem = await problemOf({ ...told, records }, programOf(told.seed), [
        records.length >> 1,
        records.length,
      ]);
      tally.programs += 1;
      if (problem !== undefined) fail(told.seed, problem);
    }
  } else {
    const [file, from, to] = mode === "write" ? rest : ["", ...rest];
    const lines: string[] = [];
    for (let seed = Number(from); seed < Number(to); seed++) {
      const { story, problem } = await tell(seed);
      if (story === undefined) tally.stuck += 1;
      else {
        tally.programs += 1;
        tally.records += story.records.length;
        tally.ops += story.ops;
        tally.crashes += story.crashes;
        const data = story.records.map((record) => Buffer.from(record.data).toString("base64"));
        lines.push(JSON.stringify({ ...story, records: [], data }));
      }
      if (problem !== undefined) fail(seed, problem);
    }
    if (file) writeFileSync(file, lines.join("\n"));
  }
  console.log(JSON.stringify(tally));
}

if (import.meta.main) await byHand(process.argv.slice(2));
