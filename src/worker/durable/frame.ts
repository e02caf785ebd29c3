// The code of one lap of a durable run in memory: which ops it has opened, in which order, and what was delivered to it. Does not know the journal:
// its driver delivers results, and is told when the code stands still.
import { cancelSignal, type Wait } from "../../domain/durable.ts";
import { type Delivery, noOp } from "../../wire/journal-message.ts";
import { randomOf } from "./lap-random.ts";
import { Op, type OpDetail } from "./op.ts";
import { Ops, opOfWait } from "./ops.ts";
import { foreignAtEnd, foreignBefore, notOpened } from "./problem.ts";
import type { Restart } from "./restart.ts";
import { type Entered, insideOf, type Surrounding, windows } from "./windows.ts";

/** Who drives a frame during a turn. */
export interface Driver {
  /** The code stands still, and all deliveries are made. `opened`: new ops in the order of their calls. Returns whether it called user code. */
  stands(opened: readonly Op[]): boolean;
  /** The method has ended; `threw` says how. */
  ended(threw: boolean, value: unknown): void;
  /** `stack`: of the call that showed it. */
  blocked(reason: string, stack?: string): void;
  /** The arguments of an op differ from the stored ones: its results count all the same. */
  warned(reason: string): void;
}

export interface FrameStart {
  readonly id: string;
  readonly lap: number;
  /** When the code of the lap began. Units: epoch milliseconds */
  readonly time: number;
  readonly cursors: Readonly<Record<string, number>>;
}

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
  readonly ops: Ops = new Ops();
  /** The same numbers on each replay. */
  readonly random: () => number;
  /** Undefined while the run is parked. */
  driver: Driver | undefined;
  #code: (frame: Frame) => unknown;
  #undelivered = 0;
  #isReplaying = false;
  #isOver = false;

  constructor({ id, lap, time, cursors }: FrameStart, code: (frame: Frame) => unknown) {
    this.id = id;
    this.lap = lap;
    this.time = time;
    this.cursors = { ...cursors };
    this.#code = code;
    this.random = randomOf(`${id}.${lap}`);
  }

  /** Calls the code and repeats earlier deliveries; `waits` are those the run was parked on. */
  begin(driver: Driver, stored: readonly Delivery[], waits: readonly Wait[] = []): void {
    this.driver = driver;
    for (const delivery of stored) if (delivery.ordinal !== noOp) this.ops.expect(delivery.ordinal, delivery);
    for (const wait of waits) this.ops.expect(wait.ordinal, opOfWait(wait));
    this.#isReplaying = stored.length > 0;
    this.#undelivered = stored.length + 1;
    windows.deliver(this, [undefined, ...stored]);
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

  /** Opens an op; called synchronously by the code. The promise is a real one: other thenables lose the async context. */
  open(...[kind, name, hash, detail]: [Op["kind"], string, number, OpDetail]): Promise<any> {
    if (this.#isOver) return new Promise(() => {}); // its own: a shared one would retain the frames of all that await it
    if (windows.current !== this) return this.blockFor(foreignBefore({ kind, name }));
    const op = new Op(kind, name, hash, detail);
    this.ops.open(op);
    return op.promise;
  }

  /** For code that can go no further as it is. Called synchronously by the code, which never gets an answer. */
  blockFor(reason: string): Promise<never> {
    this.#block(reason);
    return new Promise(() => {});
  }

  /** Drops all references to the code. None of it runs any more: no catch, no finally. */
  drop(reason?: unknown): void {
    this.#isOver = true;
    this.driver = undefined;
    this.#code = () => {}; // it may retain much, and a user's timer may retain this
    this.ops.drop(reason);
  }

  enter(delivery: Delivery | undefined): void {
    this.#undelivered -= 1;
    if (this.#isOver) return;
    if (delivery === undefined) return void this.#callCode();
    if (delivery.time > this.time) this.time = delivery.time;
    this.#noteTaken(delivery);
    const { ordinal, form, value } = delivery;
    if (ordinal === noOp) return;
    const op = this.ops.at(ordinal);
    if (op === undefined) {
      if (ordinal >= this.ops.count) this.#block(notOpened(ordinal, delivery));
      return;
    }
    if (op.state === "closed") return;
    if (form === "retry") return void op.postpone(value);
    this.ops.settle(op);
    if (form === "value") op.give(value);
    else op.fail(value);
  }

  windowClosed(): boolean {
    if (this.#isOver || !this.#number() || this.#undelivered > 0) return false;
    this.#isReplaying = false;
    this.ops.forgetClosed();
    return this.driver?.stands(this.ops.takeFresh()) ?? false;
  }

  #noteTaken({ kind, form, name, sequence }: Delivery): void {
    if (form === "cancel") this.isCancelled = true;
    const signal = form === "cancel" ? cancelSignal : kind === "signal" && form === "value" ? name : undefined;
    if (signal !== undefined) this.cursors[signal] = Math.max(this.cursors[signal] ?? 0, sequence);
  }

  /** False if the journal says otherwise. */
  #number(): boolean {
    const difference = this.ops.number(this.driver);
    if (difference !== undefined) this.#block(difference);
    return difference === undefined;
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
    const unopened = this.ops.unopened();
    if (unopened !== undefined) return void this.#block(unopened);
    const { driver } = this;
    this.#isOver = true;
    driver?.ended(threw, value);
  }

  #block(reason: string): void {
    if (this.#isOver) return;
    const { driver } = this;
    const error = new Error(reason);
    this.drop(error);
    driver?.blocked(reason, error.stack);
  }
}
