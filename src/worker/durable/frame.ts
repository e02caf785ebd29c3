// The code of one lap of a durable run in memory: which ops it has opened, in which order, and what was delivered to it. Does not know the journal:
// its driver delivers results, and is told when the code stands still.
import { cancelSignal, type Wait } from "../../domain/durable.ts";
import { hashOfText } from "../../domain/text-hash.ts";
import { type Delivery, noOp, type OpKind } from "../../wire/journal-message.ts";
import { byRank, Op, type OpDetail, type OpState } from "./op.ts";
import { described, differs, endedBefore, foreignAtEnd, foreignBefore, notOpened, type Problem } from "./problem.ts";
import type { Restart } from "./restart.ts";
import { decodeError } from "./stored-error.ts";
import { type Entered, insideOf, type Surrounding, windows } from "./windows.ts";

/** Who drives a frame during a turn. */
export interface Driver {
  /** The code stands still, and all deliveries are made. `opened`: new ops in the order of their calls. Returns whether it called user code. */
  stands(opened: readonly Op[]): boolean;
  /** The method has ended; `threw` says how. */
  ended(threw: boolean, value: unknown): void;
  blocked(problem: Problem): void;
  /** The arguments of an op differ from the stored ones: its results count all the same. */
  warned(problem: Problem): void;
}

export interface FrameStart {
  readonly id: string;
  readonly lap: number;
  /** When the code of the lap began. Units: epoch milliseconds */
  readonly time: number;
  readonly cursors: Readonly<Record<string, number>>;
}

/** What is stored of an op. */
interface KnownOp {
  readonly kind: OpKind;
  readonly name: string;
  readonly hash?: number;
}

function opOfWait(wait: Wait): KnownOp {
  if (wait.kind === "timer") return { kind: "sleep", name: "" };
  return wait.kind === "signal" ? { kind: "signal", name: wait.name } : { kind: "children", name: wait.task };
}

const noOps: readonly Op[] = [];

export class Frame implements Entered<Delivery> {
  /** Identifies the lap: its random values are derived from this alone. */
  readonly id: string;
  readonly lap: number;
  /** Time of the newest delivery. Units: epoch milliseconds */
  time: number;
  /** Of signals that were taken, by name. */
  readonly cursors: Record<string, number>;
  /** The code has been told to cancel. */
  isCancelled = false;
  /** The method has asked for the next lap; it counts once it is returned. */
  restart: Restart | undefined;
  /** Undefined while the run is parked. */
  driver: Driver | undefined;
  #code: (frame: Frame) => unknown;
  readonly #ops = new Map<number, Op>();
  #count = 0;
  /** Stored deliveries of ops that are not opened yet. */
  readonly #expected = new Map<number, KnownOp>();
  /** Opened in this window, without a number yet. */
  #opened: Op[] = [];
  /** Numbered, and not told to the driver yet. */
  #fresh: Op[] = [];
  #undelivered = 0;
  #isReplaying = false;
  #isOver = false;
  #seed: number;

  constructor({ id, lap, time, cursors }: FrameStart, code: (frame: Frame) => unknown) {
    this.id = id;
    this.lap = lap;
    this.time = time;
    this.cursors = { ...cursors };
    this.#code = code;
    this.#seed = hashOfText(`${id}.${lap}`);
  }

  /** Calls the code and repeats earlier deliveries; `waits` are those the run was parked on. */
  begin(driver: Driver, stored: readonly Delivery[], waits: readonly Wait[] = []): void {
    this.driver = driver;
    for (const delivery of stored) if (delivery.ordinal !== noOp) this.#expect(delivery.ordinal, delivery);
    for (const wait of waits) this.#expect(wait.ordinal, opOfWait(wait));
    this.#isReplaying = stored.length > 0;
    this.#undelivered = stored.length + 1;
    windows.deliver(this, [undefined, ...stored]);
  }

  #expect(ordinal: number, known: KnownOp): void {
    if (!this.#expected.has(ordinal)) this.#expected.set(ordinal, known);
  }

  /** Deliveries that were just stored. */
  deliver(deliveries: readonly Delivery[]): void {
    this.#undelivered += deliveries.length;
    windows.deliver(this, deliveries);
  }

  /** All deliveries are made, and no code is executing. */
  get stands(): boolean {
    return this.#undelivered === 0 && windows.current !== this;
  }
  get isOver(): boolean {
    return this.#isOver;
  }
  /** What it says now was said before. */
  get isReplaying(): boolean {
    return this.#isReplaying;
  }
  /** Unsettled steps and children: somebody forgot to await them, unless a race left them. */
  get leftBehind(): string[] {
    const open = [...this.#ops.values()].filter(
      ({ kind, state }) => state !== "closed" && kind !== "sleep" && kind !== "signal",
    );
    return open.map(described);
  }
  /** Ops that were opened in this lap. */
  get count(): number {
    return this.#count;
  }
  opAt(ordinal: number): Op | undefined {
    return this.#ops.get(ordinal);
  }
  /** Ops that are not settled, in the order of their numbers. */
  opsThatAre(state: OpState): readonly Op[] {
    let found: Op[] | undefined; // asked many times a step, and nearly always for nothing
    for (const op of this.#ops.values()) {
      if (op.state !== state) continue;
      found ??= [];
      found.push(op);
    }
    return found ?? noOps;
  }

  /** Opens an op; called synchronously by the code. The promise is a real one: other thenables lose the async context. */
  open(...[kind, name, hash, detail]: [Op["kind"], string, number, OpDetail]): Promise<any> {
    if (this.#isOver) return new Promise(() => {}); // its own: a shared one would retain the frames of all that await it
    if (windows.current !== this) return this.blockFor(foreignBefore({ kind, name }));
    const op = new Op(kind, name, hash, detail);
    this.#opened.push(op);
    return op.promise;
  }

  /** For code that can go no further as it is. Called synchronously by the code, which never gets an answer. */
  blockFor(problem: Problem): Promise<never> {
    this.#block(problem);
    return new Promise(() => {});
  }

  /** The same numbers on each replay. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Drops all references to the code. None of it runs any more: no catch, no finally. */
  drop(reason?: unknown): void {
    this.#isOver = true;
    this.driver = undefined;
    this.#code = () => {}; // it may retain much, and a user's timer may retain this
    for (const op of [...this.#ops.values(), ...this.#opened]) {
      op.abort?.(reason);
      op.letGo();
    }
    this.#ops.clear();
    this.#expected.clear();
    this.#opened = [];
    this.#fresh = [];
  }

  enter(delivery: Delivery | undefined): void {
    this.#undelivered -= 1;
    if (this.#isOver) return;
    if (delivery === undefined) return void this.#callCode();
    if (delivery.time > this.time) this.time = delivery.time;
    this.#noteTaken(delivery);
    const { ordinal, form, value } = delivery;
    if (ordinal === noOp) return;
    const op = this.#ops.get(ordinal);
    if (op === undefined) {
      if (ordinal >= this.#count) this.#block(notOpened(ordinal, delivery));
      return;
    }
    if (op.state === "closed") return;
    if (form === "retry") return void this.#dueLater(op, value);
    this.#ops.delete(ordinal);
    op.state = "closed";
    if (form === "value") settle(op, value);
    else op.reject(decodeError(value, op.detail.classes));
  }

  windowClosed(): boolean {
    if (this.#isOver || !this.#number() || this.#undelivered > 0) return false;
    this.#isReplaying = false;
    this.#forgetClosed();
    const opened = this.#fresh.filter((op) => op.state === "new");
    this.#fresh = [];
    return this.driver?.stands(opened) ?? false;
  }

  #noteTaken({ kind, form, name, sequence }: Delivery): void {
    if (form === "cancel") this.isCancelled = true;
    const signal = form === "cancel" ? cancelSignal : kind === "signal" && form === "value" ? name : undefined;
    if (signal !== undefined) this.cursors[signal] = Math.max(this.cursors[signal] ?? 0, sequence);
  }

  /** Its runner knows when: only the number of failures matters to a replay. */
  #dueLater(op: Op, value: string): void {
    const { failures, dueAt } = JSON.parse(value) as { failures: number; dueAt: number };
    op.failures = failures;
    op.dueAt = dueAt;
    op.state = "due later";
  }

  /** Numbers what was opened in this window. False if the journal says otherwise. */
  #number(): boolean {
    const opened = this.#opened;
    if (opened.length === 0) return true;
    this.#opened = [];
    for (const op of opened.length === 1 ? opened : opened.toSorted(byRank)) {
      op.ordinal = this.#count++;
      this.#ops.set(op.ordinal, op);
      if (!this.#fits(op)) return false;
    }
    this.#fresh.push(...opened);
    return true;
  }

  #fits(op: Op): boolean {
    const stored = this.#expected.get(op.ordinal);
    if (stored === undefined) return true;
    this.#expected.delete(op.ordinal);
    if (stored.kind === op.kind && stored.name === op.name) {
      if (stored.hash !== undefined && stored.hash !== op.hash) this.driver?.warned(differs(op.ordinal, stored, op));
      return !this.#isOver;
    }
    this.#block(differs(op.ordinal, stored, op));
    return false;
  }

  #forgetClosed(): void {
    for (const op of this.#ops.values()) if (op.state === "closed") this.#ops.delete(op.ordinal);
  }

  #callCode(): void {
    const store: Surrounding & { frame: Frame | undefined } = { frame: this, step: undefined };
    const body = insideOf(store, async () => this.#code(this));
    body.then(
      (value) => this.#codeEnded(false, value),
      (error) => this.#codeEnded(true, error),
    );
  }

  #codeEnded(threw: boolean, value: unknown): void {
    if (this.#isOver) return;
    if (windows.current !== this) return void this.#block(foreignAtEnd());
    if (!this.#number()) return;
    for (const [ordinal, stored] of this.#expected)
      if (ordinal >= this.#count) return void this.#block(endedBefore(ordinal, stored));
    const { driver } = this;
    this.#isOver = true;
    driver?.ended(threw, value);
  }

  #block(problem: Problem): void {
    if (this.#isOver) return;
    const { driver } = this;
    const { stack } = new Error(problem.message);
    this.drop(new Error(problem.message));
    driver?.blocked({ ...problem, stack });
  }
}

function settle(op: Op, value: string): void {
  const { read } = op.detail;
  if (read === undefined) return void op.resolve(value === "" ? undefined : JSON.parse(value));
  let result: unknown;
  try {
    result = read(value);
  } catch (error) {
    op.reject(error);
    return;
  }
  op.resolve(result);
}
