// Durable code as a pure function of what was delivered to it: small threads that execute steps, wait, race, join and go round in laps.
import type { Random } from "../random.ts";

export type Wait =
  | { readonly w: "timer"; readonly ms: number }
  | { readonly w: "signal"; readonly name: string }
  | { readonly w: "children"; readonly size: number; readonly task: string; readonly failFast: boolean };
export type Op =
  | { readonly t: "step" }
  | { readonly t: "race"; readonly waits: readonly Wait[]; readonly next: readonly (readonly Op[])[] }
  | { readonly t: "all"; readonly waits: readonly Wait[] }
  | { readonly t: "both"; readonly ways: readonly (readonly Op[])[] };
export interface Program {
  readonly ops: readonly Op[];
  readonly laps: number;
  /** What it does when it is cancelled. */
  readonly undo: readonly Op[];
}

/** `T`: the time of the delivery, which is all that the code knows of time. `ordinal` -1: a wish to cancel. */
export interface Delivery {
  readonly kind: "result" | "timer" | "signal" | "children" | "cancel";
  readonly ordinal: number;
  readonly T: number;
  readonly seq?: number;
  readonly name?: string;
  readonly value?: string;
}
/** What a lap begins with. `cursors`: of signals, by name. */
export interface Start {
  readonly lap: number;
  readonly T: number;
  readonly cursors: Readonly<Record<string, number>>;
}
export interface OpenWait {
  readonly ordinal: number;
  readonly wait: Wait;
  readonly deadline: number;
}
export interface Point {
  readonly at: "step" | "wait" | "lap" | "done" | "diverged";
  readonly steps: readonly number[];
  readonly ops: number;
  readonly open: readonly OpenWait[];
  readonly T: number;
  readonly ends: "completed" | "cancelled";
}

type Thread = Generator<readonly number[], void, number>;
interface Join {
  left: number;
  readonly thread: Thread;
}

/** One execution: a delivery at a time, each until every thread waits again. */
class Execution {
  ops = 0;
  T: number;
  open = new Map<number, OpenWait>();
  steps = new Set<number>();
  #waiting = new Map<number, Thread>();
  readonly #joins = new Map<Thread, Join>();
  #main: Thread | undefined;

  constructor(T: number) {
    this.T = T;
  }
  get isDone(): boolean {
    return this.#joins.get(this.#main!)!.left === 1;
  }
  begin(ops: readonly Op[]): void {
    const thread: Thread = this.#body(ops, () => thread);
    this.#main = thread;
    this.#joins.set(thread, { left: 2, thread });
    this.#resume(thread, -1);
  }
  /** Everything that is open is given up. */
  cancel(undo: readonly Op[]): void {
    this.open = new Map();
    this.steps = new Set();
    this.#waiting = new Map();
    this.begin(undo);
  }
  /** False when the code has nothing open that takes it. */
  deliver({ kind, ordinal, name }: Delivery): boolean {
    const open = this.open.get(ordinal);
    const thread = this.#waiting.get(ordinal);
    const fits =
      kind === "result"
        ? this.steps.has(ordinal)
        : open?.wait.w === kind && (open.wait.w !== "signal" || open.wait.name === name);
    if (!fits || thread === undefined) return false;
    this.steps.delete(ordinal);
    this.#waiting.delete(ordinal);
    this.#resume(thread, ordinal);
    return true;
  }

  #resume(thread: Thread, ordinal: number): void {
    const { done, value } = thread.next(ordinal);
    if (done !== true) {
      for (const one of value) this.#waiting.set(one, thread);
      return;
    }
    const join = this.#joins.get(thread);
    if (join !== undefined && --join.left === 0) this.#resume(join.thread, -1);
  }
  *#body(ops: readonly Op[], self: () => Thread): Thread {
    for (const op of ops) {
      if (op.t === "step") {
        this.steps.add(this.ops);
        yield [this.ops++];
      } else if (op.t === "both") yield* this.#both(op.ways, self());
      else yield* this.#wait(op, self);
    }
  }
  *#both(ways: readonly (readonly Op[])[], thread: Thread): Thread {
    const join = { left: ways.length + 1, thread };
    for (const ops of ways) {
      const way: Thread = this.#body(ops, () => way);
      this.#joins.set(way, join);
      this.#resume(way, -1);
    }
    if (--join.left > 0) yield [];
  }
  *#wait(op: Extract<Op, { waits: readonly Wait[] }>, self: () => Thread): Thread {
    const mine = op.waits.map((wait) => {
      const deadline = wait.w === "timer" ? this.T + wait.ms : 0;
      this.open.set(this.ops, { ordinal: this.ops, wait, deadline });
      return this.ops++;
    });
    let winner = -1;
    while (mine.some((one) => this.open.has(one))) {
      const ordinal = yield mine.filter((one) => this.open.has(one));
      this.open.delete(ordinal);
      if (op.t === "all") continue;
      winner = mine.indexOf(ordinal);
      for (const one of mine) this.open.delete(one); // the losers are closed
    }
    if (op.t === "race") yield* this.#body(op.next[winner] ?? [], self);
  }
}

const points = new WeakMap<readonly Delivery[], Point>();

/** What the code is after these deliveries. */
export function evaluate(program: Program, start: Start, deliveries: readonly Delivery[]): Point {
  let point = points.get(deliveries);
  if (point === undefined) {
    point = execute(program, start, deliveries);
    points.set(deliveries, point);
  }
  return point;
}

function execute({ ops, laps, undo }: Program, start: Start, deliveries: readonly Delivery[]): Point {
  const execution = new Execution(start.T);
  let ends: Point["ends"] = "completed";
  const stop = (at: Point["at"]): Point => {
    const { steps, open, T } = execution;
    return { at, steps: [...steps], ops: execution.ops, open: [...open.values()], T, ends };
  };
  execution.begin(ops);
  for (const delivery of deliveries) {
    if (execution.isDone) return stop("diverged");
    execution.T = Math.max(execution.T, delivery.T);
    if (delivery.kind === "cancel") {
      ends = "cancelled";
      execution.cancel(undo);
    } else if (!execution.deliver(delivery)) return stop("diverged");
  }
  if (!execution.isDone) return stop(execution.steps.size > 0 ? "step" : "wait");
  return stop(ends === "cancelled" || start.lap >= laps ? "done" : "lap");
}

/** Up to where the code has taken signals, by name. */
export function cursorsAfter(start: Start, deliveries: readonly Delivery[]): Record<string, number> {
  const cursors = { ...start.cursors };
  for (const { kind, name, seq } of deliveries) {
    if (kind === "signal") cursors[name!] = seq!;
    if (kind === "cancel") cursors["$cancel"] = seq!;
  }
  return cursors;
}

function makeWait(random: Random): Wait {
  const x = random.next();
  if (x < 0.3) return { w: "timer", ms: 1 + random.int(8_000) };
  if (x < 0.6) return { w: "signal", name: random.pick(["s", "s", "u"]) };
  const task = random.pick(["leaf", "leaf", "d"]);
  return { w: "children", size: random.pick([1, 1, 2, 3]), task, failFast: random.chance(0.3) };
}

function makeOps(random: Random, depth: number): Op[] {
  return Array.from({ length: 1 + random.int(depth === 0 ? 3 : 2) }, (): Op => {
    const x = random.next();
    if (x < 0.35) return { t: "step" };
    if (x < 0.48 && depth === 0) return { t: "both", ways: [makeOps(random, 1), makeOps(random, 1)] };
    const waits = random.chance(0.4) ? [makeWait(random)] : [makeWait(random), makeWait(random)];
    if (x >= 0.9 && depth === 0) return { t: "all", waits };
    const hasThen = depth === 0 && !random.chance(0.3);
    return { t: "race", waits, next: waits.map(() => (hasThen ? makeOps(random, 1) : [])) };
  });
}

/** Compensation may wait as well. */
function makeUndo(random: Random): readonly Op[] {
  const step: Op = { t: "step" };
  if (random.chance(0.5)) return [step];
  const wait: Wait = random.chance(0.7) ? { w: "timer", ms: 3_000 } : { w: "signal", name: "u" };
  return [step, { t: "race", waits: [wait], next: [[step]] }];
}

/** Small ones come sooner to their ends, to marks, and to attempts that are late for both. */
export function makeProgram(random: Random, isTiny: boolean): Program {
  const undo = makeUndo(random);
  if (!isTiny) return { ops: makeOps(random, 0), laps: random.pick([1, 1, 2, 3]), undo };
  const waits = random.chance(0.6) ? [makeWait(random)] : [makeWait(random), { w: "timer", ms: 3_000 } as const];
  return { ops: [{ t: "race", waits, next: waits.map(() => [{ t: "step" } as const]) }], laps: 1, undo };
}

export const childProgram = (random: Random): Program => ({
  ops: [
    { t: "step" },
    {
      t: "race",
      waits: [random.chance(0.5) ? { w: "timer", ms: 2_000 } : { w: "signal", name: "s" }],
      next: [[{ t: "step" }]],
    },
  ],
  laps: 1,
  undo: [{ t: "step" }],
});
