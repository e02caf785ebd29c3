// An attempt of a durable run as its worker executes it: reads its journal, appends before the code goes on, parks, or comes to an end.
import {
  childIdOf,
  type Offer,
  type Parked,
  type Wait as ParkedWait,
  type Resume,
} from "../../../src/domain/durable.ts";
import type { FoldedOutcome } from "../../../src/fold/log-events.ts";
import type { FlowWorld } from "./flow-world.ts";
import type { Message } from "./journals.ts";
import { cursorsAfter, type Delivery, evaluate, type OpenWait, type Point, type Start } from "./programs.ts";

export interface Given {
  readonly key: string;
  readonly task: string;
  readonly origin: number;
  readonly turn: number;
  readonly createdAt: number;
  readonly resume: Resume | undefined;
}
/** A frame that is kept after its run has parked. */
export interface Warm {
  readonly origin: number;
  readonly turn: number;
  readonly start: Start;
  readonly deliveries: readonly Delivery[];
  readonly last: number;
}
interface Pending {
  readonly begun?: boolean;
  readonly lap?: Start;
  readonly deliveries: readonly Delivery[];
}

export class FlowAttempt {
  readonly key: string;
  readonly task: string;
  readonly origin: number;
  readonly turn: number;
  readonly createdAt: number;
  readonly id: number;
  readonly worker: string;
  phase: "read" | "begin" | "run" | "append" | "leaf" | "gone";
  /** Its worker says no more that it has it, though it goes on: it is a zombie as soon as the leader has noticed. */
  hiddenAt: number | undefined = undefined;
  /** Its process stands still until then. */
  frozenUntil = 0;
  isStopped = false;
  wish: { readonly seq: number; readonly at: number } | undefined = undefined;
  readonly #world: FlowWorld;
  #start: Start;
  #deliveries: readonly Delivery[] = [];
  /** Last sequence of the journal, as far as it knows. */
  #last = 0;
  #number = 0;
  #pending: Pending | undefined = undefined;
  #offers: readonly Offer[];
  /** Below it, and in which lap, ops are what the offers were made for. */
  #offered: { readonly lap: number; readonly ops: number };
  readonly #made = new Set<string>();
  /** How far its journal must be read; undefined = to the end. */
  #reaches: number | undefined;
  #stepsWithoutRecord = 0;
  #stepsAfterFence = 0;

  constructor(world: FlowWorld, given: Given, id: number, worker: string, warm: Warm | undefined) {
    this.#world = world;
    const { key, task, origin, turn, createdAt, resume } = given;
    this.key = key;
    this.task = task;
    this.origin = origin;
    this.turn = turn;
    this.createdAt = createdAt;
    this.id = id;
    this.worker = worker;
    this.phase = task === "leaf" ? "leaf" : turn === 1 ? "run" : "read";
    this.#start = { lap: 1, T: createdAt, cursors: {} };
    this.#reaches = resume?.parked?.journalSeq;
    this.#offers = resume?.offers ?? [];
    this.#offered = { lap: resume?.parked?.lap ?? 1, ops: resume?.parked?.ops ?? 0 };
    if (warm === undefined || this.phase !== "read" || warm.origin !== origin || warm.turn >= turn) return;
    this.phase = "begin";
    this.#start = warm.start;
    this.#deliveries = warm.deliveries;
    this.#last = warm.last;
  }
  get isHidden(): boolean {
    return this.hiddenAt !== undefined;
  }
  hide(): void {
    const { now, random } = this.#world;
    if (this.isHidden) return;
    this.hiddenAt = now;
    if (random.chance(0.5)) this.frozenUntil = now + random.int(30_000);
  }
  step(): void {
    // Whose heartbeats are not answered for so long appends nothing any more.
    if (this.hiddenAt !== undefined && this.#world.now - this.hiddenAt > 30_000) this.phase = "gone";
    if (this.phase === "leaf") this.#endLeaf();
    else if (this.phase === "read") this.#read();
    else if (this.phase === "begin") this.#begin();
    else if (this.phase === "append") this.#append();
    else if (this.phase === "run") this.#advance();
  }
  get #point(): Point {
    return evaluate(this.#world.programs.get(this.task)!, this.#start, this.#deliveries);
  }
  get #isFenced(): boolean {
    return this.#world.journals.story(this.origin, this.createdAt).turn > this.turn;
  }

  #endLeaf(): void {
    const kinds = ["completed", "completed", "completed", "failed", "retry"] as const;
    const kind = this.isStopped ? "cancelled" : this.#world.random.pick(kinds);
    this.#report(kind);
  }
  #report(kind: FoldedOutcome["kind"], detail?: FoldedOutcome["detail"]): void {
    const { key, turn, origin } = this;
    this.phase = "gone";
    this.#world.report(this, { kind, key, turn, origin, at: this.#world.now, dueAt: 0, detail });
  }

  #read(): void {
    const messages = this.#messages();
    const tail = messages.at(-1);
    // A turn belongs to whoever appended first in it.
    if (tail !== undefined && (tail.turn > this.turn || (tail.turn === this.turn && tail.attempt !== this.id))) {
      this.phase = "gone";
      return;
    }
    this.#start = { lap: 1, T: this.createdAt, cursors: {} };
    this.#deliveries = [];
    for (const { lap, deliveries } of messages) {
      if (lap !== undefined) this.#start = lap;
      this.#deliveries = lap !== undefined ? [] : [...this.#deliveries, ...deliveries];
    }
    this.#last = tail?.seq ?? 0;
    this.phase = "begin";
  }
  /** Whoever answers may lag at first. */
  #messages(): readonly Message[] {
    const { journals, random } = this.#world;
    const reaches = this.#reaches;
    this.#reaches = undefined;
    if (reaches === undefined || random.chance(0.7)) return journals.of(this.origin);
    return journals.laggingOf(this.origin, reaches, random.pick([1, 2, 3]));
  }
  #begin(): void {
    const point = this.#point;
    if (point.at === "diverged") throw new Error(`the replay of ${this.key} diverges`);
    const delivery = point.at === "wait" ? this.#choose(point) : undefined;
    this.#propose({ begun: true, deliveries: delivery === undefined ? [] : [delivery] });
  }
  #propose(pending: Pending): void {
    this.#pending = pending;
    this.#number++;
    this.phase = "append";
    if (this.#world.random.chance(0.6)) this.#append();
  }
  #append(): void {
    const { key, origin, turn, task, createdAt, id: attempt } = this;
    const { journals, random, isHealed } = this.#world;
    const written = { key, origin, turn, task, createdAt, attempt, number: this.#number, after: this.#last };
    const seq = journals.append({ ...written, ...this.#pending! });
    if (seq === undefined) this.#conflict();
    else if (isHealed || !random.chance(0.06)) this.#acknowledged(seq); // else it asks again
  }
  #conflict(): void {
    const tail = this.#world.journals.of(this.origin).at(-1);
    if (tail !== undefined && tail.attempt === this.id && tail.number === this.#number)
      this.#acknowledged(tail.seq); // its own, of which the answer was lost
    else if (this.#pending!.begun === true) {
      this.phase = "read"; // somebody of an earlier turn wrote in between, or the frame was old
      this.#pending = undefined;
    } else if (tail !== undefined && tail.turn < this.turn)
      throw new Error(`turn ${this.turn} of ${this.key} is stopped by turn ${tail.turn}`);
    else this.phase = "gone";
  }
  #acknowledged(seq: number): void {
    const { lap, deliveries } = this.#pending!;
    this.#last = seq;
    this.#pending = undefined;
    this.#stepsWithoutRecord = 0;
    this.#deliveries = lap !== undefined ? [] : [...this.#deliveries, ...deliveries];
    if (lap !== undefined) this.#start = lap;
    this.phase = "run";
  }

  /** An offer is of use while the code waits for nothing that it was not made for; what the journal has already is skipped. */
  #choose(point: Point): Delivery | undefined {
    const cursors = cursorsAfter(this.#start, this.#deliveries);
    const taken = (name: string): number => Math.max(Math.floor(this.origin), cursors[name] ?? 0);
    if (this.wish !== undefined && this.wish.seq > taken("$cancel") && point.at === "wait")
      return { kind: "cancel", ordinal: -1, T: this.wish.at, seq: this.wish.seq };
    const { lap, ops } = this.#offered;
    if (this.#start.lap !== lap || point.open.some(({ ordinal }) => ordinal >= ops)) this.#offers = [];
    for (const offer of this.#offers) {
      if (offer.kind === "cancel") {
        if (point.at === "wait" && offer.sequence > taken("$cancel"))
          return { kind: "cancel", ordinal: -1, T: offer.time, seq: offer.sequence };
        continue;
      }
      if (offer.kind === "signal" && offer.sequence <= taken(offer.name)) continue;
      const match = point.open.find((one) => takes(one, offer));
      if (match === undefined) continue;
      const delivery = { kind: offer.kind, ordinal: match.ordinal, T: offer.time };
      if (offer.kind === "signal") return { ...delivery, seq: offer.sequence, name: offer.name };
      if (offer.kind === "timer") return delivery;
      const values = offer.ends.map((end, place) => (end === null ? "-" : this.#readResult(match, place, end)));
      if (values.includes(undefined)) {
        this.#offers = this.#offers.filter((one) => one !== offer); // forgotten: the parent is past it
        return undefined;
      }
      return { ...delivery, value: values.join() };
    }
    return undefined;
  }
  #readResult({ ordinal, wait }: OpenWait, place: number, end: { readonly seq: number; readonly index: number }) {
    const { task } = wait as Extract<typeof wait, { w: "children" }>;
    return this.#world.readResult(`${task}/${this.#childId(ordinal, place)}`, end);
  }
  #childId(ordinal: number, place: number): string {
    return childIdOf({ origin: this.origin, lap: this.#start.lap, ordinal, place });
  }

  #advance(): void {
    const point = this.#point;
    const { random, isHealed } = this.#world;
    if (point.at === "diverged") throw new Error(`${this.key} diverges`);
    if (point.at === "step") {
      const delivery = random.chance(0.3) ? this.#choose(point) : undefined;
      if (delivery === undefined) this.#execute(point);
      else this.#propose({ deliveries: [delivery] });
      return;
    }
    if (point.at === "lap") {
      const cursors = cursorsAfter(this.#start, this.#deliveries);
      this.#propose({ lap: { lap: this.#start.lap + 1, T: point.T, cursors }, deliveries: [] });
      return;
    }
    if (point.at === "done") {
      this.#finish(point);
      return;
    }
    if (this.#makeChild(point)) return;
    const delivery = this.#choose(point);
    if (delivery !== undefined) this.#propose({ deliveries: [delivery] });
    else if (!isHealed && random.chance(0.3)) this.#listen(point);
    else this.#park(point);
  }
  #execute({ steps }: Point): void {
    if (this.#isFenced && ++this.#stepsAfterFence > 1) throw new Error(`a fenced attempt of ${this.key} goes on`);
    if (++this.#stepsWithoutRecord > 1) throw new Error(`an attempt of ${this.key} executes steps without a record`);
    const { random, now } = this.#world;
    this.#world.stepsExecuted++;
    this.#propose({ deliveries: [{ kind: "result", ordinal: random.pick(steps), T: now }] });
  }
  /** One that is not known to be stored; all are before the run parks. */
  #makeChild({ open }: Point): boolean {
    const { random, isHealed } = this.#world;
    for (const { ordinal, wait } of open) {
      if (wait.w !== "children") continue;
      for (let place = 0; place < wait.size; place++) {
        const id = this.#childId(ordinal, place);
        if (this.#made.has(id)) continue;
        this.#world.createChild(wait.task, id, this.key, wait.size > 2 ? 2 : undefined);
        if (isHealed || !random.chance(0.05)) this.#made.add(id); // else there was no answer
        return true;
      }
    }
    return false;
  }
  /** While it is awake a run may be told of signals and of ended children. */
  #listen(point: Point): void {
    this.#offers = this.#world.tellAwake(this, this.#start.lap, point.open);
    this.#offered = { lap: this.#start.lap, ops: point.ops };
  }
  #park(point: Point): void {
    // A zombie may say so when its run has gone on long since.
    if (this.isHidden && this.#world.random.chance(0.85)) return;
    const cursors = cursorsAfter(this.#start, this.#deliveries);
    const waits = point.open.map(parkedWait);
    const parked: Parked = { lap: this.#start.lap, ops: point.ops, waits, cursors, journalSeq: this.#last };
    this.#report("parked", parked);
    const { origin, turn } = this;
    const kept = { origin, turn, start: this.#start, deliveries: this.#deliveries, last: this.#last };
    this.#world.keepFrame(this, kept);
  }
  #finish({ ends }: Point): void {
    this.#world.onFinish(this, this.#start, this.#deliveries, ends);
    this.#report(ends);
  }
}

function takes({ ordinal, wait, deadline }: OpenWait, offer: Offer): boolean {
  if (wait.w !== offer.kind) return false;
  if (wait.w === "signal") return offer.kind === "signal" && wait.name === offer.name;
  if (offer.kind !== "timer" && offer.kind !== "children") return false;
  return ordinal === offer.ordinal && (offer.kind === "children" || deadline === offer.time);
}

export function parkedWait({ ordinal, wait, deadline }: OpenWait): ParkedWait {
  if (wait.w === "timer") return { kind: "timer", ordinal, deadline };
  if (wait.w === "signal") return { kind: "signal", ordinal, name: wait.name };
  return { kind: "children", ordinal, task: wait.task, size: wait.size, failFast: wait.failFast };
}
