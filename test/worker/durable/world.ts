// A run of durable code in a world in memory: its journal, what the log would know of it, a clock that is moved, and processes that die.
import assert from "node:assert/strict";
import type { Offer, Parked, Wait } from "../../../src/domain/durable.ts";
import type { Log } from "../../../src/domain/log.ts";
import { type Delivery, decodeJournalMessage } from "../../../src/wire/journal-message.ts";
import type { ChildGroup, ChildResult, Children, SoonEnd } from "../../../src/worker/durable/children.ts";
import { type ContextParts, RunningDurable } from "../../../src/worker/durable/durable-context.ts";
import type { Frame } from "../../../src/worker/durable/frame.ts";
import type { Journal, StoredRecord } from "../../../src/worker/durable/journal.ts";
import type { SignalSource } from "../../../src/worker/durable/signals.ts";
import type { StepClock } from "../../../src/worker/durable/step-clock.ts";
import { DurableTurn } from "../../../src/worker/durable/turn.ts";
import type { KeptFrame, QuickChildren, TurnEnd } from "../../../src/worker/durable/turn-host.ts";

/** Time that stands still until it is moved; real timers of the code are not seen. */
export class WorldClock implements StepClock {
  time: number;
  readonly #timers = new Set<{ at: number; act: () => void }>();

  constructor(time = 1_000_000) {
    this.time = time;
  }
  now(): number {
    return this.time;
  }
  random(): number {
    return 0.5;
  }
  set(act: () => void, ms: number): unknown {
    const timer = { at: this.time + ms, act };
    this.#timers.add(timer);
    return timer;
  }
  clear(timer: unknown): void {
    this.#timers.delete(timer as never);
  }
  get next(): number {
    return Math.min(...[...this.#timers].map(({ at }) => at));
  }
  /** Fires what is due. */
  ring(): boolean {
    const due = [...this.#timers].filter(({ at }) => at <= this.time);
    for (const timer of due) {
      this.#timers.delete(timer);
      timer.act();
    }
    return due.length > 0;
  }
}

export class MemoryJournal implements Journal {
  records: StoredRecord[] = [];
  largestMessage = 1_000_000;
  seq = 0;
  appends = 0;
  /** Told of each append before it is answered; false: the answer never comes. */
  onAppend: (record: StoredRecord) => boolean | Promise<boolean> = () => true;
  /** Whoever is asked shows no more than it must. */
  lags = false;
  /** What refuses the next appends. */
  refuses: Error | undefined;

  async append(_: unknown, data: Uint8Array, expect: number, replaces: boolean): Promise<number | undefined> {
    if (this.refuses !== undefined) throw this.refuses;
    if ((this.records.at(-1)?.seq ?? 0) !== expect) return undefined;
    const record = { seq: ++this.seq, data };
    this.records = replaces ? [record] : [...this.records, record];
    this.appends += 1;
    if (!(await this.onAppend(record))) return new Promise(() => {});
    return record.seq;
  }
  async read(_?: unknown, reaches?: number): Promise<readonly StoredRecord[]> {
    return this.records.filter(({ seq }) => !this.lags || reaches === undefined || seq <= reaches);
  }
  async last(): Promise<StoredRecord | undefined> {
    return this.records.at(-1);
  }
  get deliveries(): Delivery[] {
    return this.records.flatMap(({ data }) => [...decodeJournalMessage(data).deliveries]);
  }
}

export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };
export const hop = (): Promise<void> => new Promise((done) => setImmediate(done));

export interface WorldOptions {
  readonly code: (input: any, ctx: RunningDurable) => unknown;
  readonly input?: unknown;
  /** What children give. */
  readonly child?: (task: string, input: any) => unknown;
  readonly log?: Log;
  /** The test tells how children end while their parent is awake; a parked one finds that they have ended. */
  readonly tellsChildren?: boolean;
  readonly build?: string;
  /** Signals are read where they are stored while steps execute. */
  readonly readsSignals?: boolean;
  /** Frames survive between turns. */
  readonly keepsFrames?: boolean;
}

export class World implements Children {
  readonly journal: MemoryJournal = new MemoryJournal();
  readonly clock: WorldClock = new WorldClock();
  options: WorldOptions;
  readonly signals: { name: string; data: unknown; sequence: number; time: number }[] = [];
  readonly children = new Map<string, ChildResult>();
  parked: Parked | undefined;
  end: TurnEnd | undefined;
  /** Ends of all turns. */
  readonly ends: TurnEnd[] = [];
  turns = 0;
  turn: DurableTurn | undefined;
  cancelled: { reason: string; sequence: number; time: number } | undefined;
  onSignal: () => void = () => {};
  /** Tells how a child ended, by the ordinal of its group; undefined: it did not complete. */
  readonly tell = new Map<number, (place: number, end: SoonEnd) => void>();
  readonly quick: QuickChildren = new Map();
  #kept: KeptFrame | undefined;
  #attempts = 0;
  #log = 10;

  constructor(options: WorldOptions) {
    this.options = options;
  }

  signal(name: string, data?: unknown): void {
    this.signals.push({ name, data, sequence: ++this.#log, time: this.clock.time });
    this.onSignal();
  }
  cancel(reason = "no more"): void {
    this.cancelled = { reason, sequence: ++this.#log, time: this.clock.time };
  }

  /** A new process: what the one before had in memory is gone. */
  crash(): void {
    this.#kept = undefined;
    this.turn = undefined;
    this.turns += 1;
    this.begin();
  }

  begin(): void {
    const { options, clock, journal } = this;
    const turn = this.turns;
    const attempt = ++this.#attempts;
    const { parked } = this;
    const host = {
      ...{ journal, clock, log: options.log ?? quiet, graceMs: 1_000, code: options.build ?? "a" },
      ...{ isHeard: () => true, newAttempt: () => attempt, quick: this.quick },
      signals: options.readsSignals === true ? this.#signalSource : undefined,
    };
    const given = {
      ...{ key: "flow/one", origin: 7, turn, createdAt: 1_000_000, input: JSON.stringify(options.input) ?? "" },
      ...{ resume: parked && { parked, offers: this.#offers() }, id: "flow-x-7" },
      children: options.tellsChildren === true ? this.#telling : this,
      codeFor: async (input: string) => {
        const read = input === "" ? undefined : JSON.parse(input);
        return (frame: Frame) => options.code(read, new RunningDurable(frame, this.#context));
      },
    };
    const kept = this.#kept;
    this.#kept = undefined;
    const begun: DurableTurn = new DurableTurn(host, given, (end) => {
      if (this.turn === begun) this.#ended(end);
    });
    this.turn = begun;
    begun.begin(kept);
  }

  /** Until nothing moves any more without time or news. */
  async settle(): Promise<void> {
    if (this.turn === undefined && this.end === undefined && this.turns === 0) this.start();
    let idle = 0;
    while (idle < 12 && !this.isOver) {
      const before = this.#attempts + this.journal.appends;
      await hop();
      const hasMoved = this.clock.ring() || this.#wake() || this.#attempts + this.journal.appends > before;
      idle = hasMoved ? 0 : idle + 1;
    }
  }

  start(): void {
    this.turns = 1;
    this.begin();
  }

  async advance(ms: number): Promise<void> {
    const target = this.clock.time + ms;
    for (;;) {
      await this.settle();
      const deadlines = (this.parked?.waits ?? []).flatMap((wait) => (wait.kind === "timer" ? [wait.deadline] : []));
      const next = Math.min(this.clock.next, ...deadlines.filter((at) => at > this.clock.time));
      if (this.isOver || !(next <= target)) break;
      this.clock.time = Math.max(this.clock.time, next);
    }
    this.clock.time = target;
    await this.settle();
  }

  get isOver(): boolean {
    const kind = this.end?.kind;
    return kind === "completed" || kind === "failed" || kind === "cancelled";
  }

  async create({ task, lap, ordinal, inputs }: ChildGroup): Promise<void> {
    await hop();
    inputs.forEach((input, place) => {
      const key = `${task}/~7.${lap}.${ordinal}.${place}`;
      if (this.children.has(key)) return;
      try {
        const value = this.options.child?.(task, input === "" ? undefined : JSON.parse(input));
        this.children.set(key, { ok: true, value });
      } catch (error) {
        const { name, message } = error as Error;
        this.children.set(key, { ok: false, key, error: { name, message }, attempts: [] });
      }
    });
  }

  async read(
    group: Pick<ChildGroup, "task" | "lap" | "ordinal">,
    ends: readonly unknown[],
  ): Promise<readonly (ChildResult | null)[]> {
    return ends.map((end, place) => (end === null ? null : this.children.get(this.#childKey(group, place))!));
  }

  #childKey({ task, lap, ordinal }: Pick<ChildGroup, "task" | "lap" | "ordinal">, place: number): string {
    return `${task}/~7.${lap}.${ordinal}.${place}`;
  }

  get #telling(): Children {
    return {
      create: (group) => this.create(group),
      read: (group, ends) => this.read(group, ends),
      watch: ({ ordinal }, onEnd) => {
        this.tell.set(ordinal, onEnd);
        return () => this.tell.delete(ordinal);
      },
    };
  }

  get #signalSource(): SignalSource {
    return {
      watch: (_, onSignal) => {
        this.onSignal = onSignal;
        return () => {
          this.onSignal = () => {};
        };
      },
      next: async (_, name, after) => {
        await hop();
        const found = this.signals.find((signal) => signal.name === name && signal.sequence > after);
        return found && { ...found, data: JSON.stringify(found.data) ?? "" };
      },
    };
  }

  get #context(): ContextParts {
    return {
      run: { task: "flow", runId: "one", metadata: {}, log: quiet },
      taskOf: (_, method) => method,
      enqueue: async (task, id) => void this.children.set(`${task}/${id}`, { ok: true }),
    };
  }

  #ended(end: TurnEnd): void {
    this.ends.push(end);
    this.turn = undefined;
    this.end = end;
    if (end.kind === "parked") {
      this.parked = end.parked;
      if (this.options.keepsFrames === true) this.#kept = end.kept;
      this.turns += 1;
    } else if (end.kind === "returned" || end.kind === "later") this.turns += 1;
  }

  /** Assigns the run where it is ready. */
  #wake(): boolean {
    const { end } = this;
    if (this.turn !== undefined || end === undefined || this.isOver || end.kind === "fenced") return false;
    const isReady =
      this.parked?.blocked === undefined ? this.#offers().length > 0 || end.kind !== "parked" : this.#isFit;
    if (!isReady) return false;
    this.begin();
    return true;
  }

  get #isFit(): boolean {
    const { again, codes } = this.parked!.blocked!;
    return again === undefined ? !codes.includes(this.options.build ?? "a") : this.clock.time >= again;
  }

  #offers(): Offer[] {
    const { parked } = this;
    if (parked === undefined) return [];
    const offers: Offer[] = parked.waits.flatMap((wait): Offer[] => this.#offersFor(wait, parked));
    const cancelledSeq = this.cancelled?.sequence ?? 0;
    if (this.cancelled !== undefined && cancelledSeq > (parked.cursors["$cancel"] ?? 0))
      offers.push({ kind: "cancel", ...this.cancelled });
    const unique = new Map(
      offers.map((offer) => [`${offer.kind}${offer.sequence}${"ordinal" in offer && offer.ordinal}`, offer]),
    );
    return [...unique.values()].sort((a, b) => a.time - b.time || a.sequence - b.sequence);
  }

  #offersFor(wait: Wait, { lap, cursors }: Parked): Offer[] {
    const { ordinal } = wait;
    if (wait.kind === "timer")
      return wait.deadline <= this.clock.time
        ? [{ kind: "timer", ordinal, time: wait.deadline, sequence: 2 ** 40 }]
        : [];
    if (wait.kind === "signal") {
      const mine = this.signals.filter(({ name, sequence }) => name === wait.name && sequence > (cursors[name] ?? 0));
      return mine.map((signal) => ({ kind: "signal", ...signal }));
    }
    const { task, size } = wait;
    const results = Array.from({ length: size }, (_, i) =>
      this.children.get(this.#childKey({ task, lap, ordinal }, i)),
    );
    const hasFailed = wait.failFast === true && results.some((result) => result?.ok === false);
    if (!hasFailed && results.includes(undefined)) return [];
    const ends = results.map((result, i) => (result === undefined ? null : { seq: i + 1, index: 0 }));
    return [{ kind: "children", ordinal, time: this.clock.time, sequence: 2 ** 39 + ordinal, ends }];
  }
}

/** Runs a scenario once for each record, with the process killed after it was stored, and once before. */
export async function everyCrash(
  make: () => World,
  scenario: (world: World) => Promise<void>,
  seen: (world: World) => unknown = ({ end }) => end,
): Promise<number> {
  const first = make();
  await first.settle();
  await scenario(first);
  const wanted = JSON.stringify(seen(first));
  const records = first.journal.appends;
  for (let k = 1; k <= records; k++) {
    const world = make();
    world.journal.onAppend = async () => {
      if (world.journal.appends !== k) return true;
      setImmediate(() => world.crash());
      return false;
    };
    await world.settle();
    await scenario(world);
    assert.equal(JSON.stringify(seen(world)), wanted, `killed after record ${k} of ${records}`);
    const blocked = world.ends.find((end) => end.kind === "parked" && end.parked.blocked !== undefined);
    assert.equal(blocked, undefined, `killed after record ${k} of ${records} the code did not match for a while`);
  }
  return records;
}
