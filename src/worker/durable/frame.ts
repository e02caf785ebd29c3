// A frame: the code of one lap of a durable run, in memory. It knows which ops the code has opened, in which order, and what was delivered. It
// does not know the journal: its driver delivers results, and is told when the code stands still.
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
  /** The code stands still, and all deliveries are made. `opened`: new ops in the order of their calls. Returns whether user code was called. */
  stands(opened: readonly Op[]): boolean;
  /** The method has ended; `threw` says how. */
  ended(threw: boolean, value: unknown): void;
  /** The code does not match its journal. `stack` is that of the call that shows it. */
  blocked(reason: string, stack?: string): void;
  /** The arguments of an op differ from the stored ones. The stored result counts all the same. */
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
  /** The sequence of the newest signal that was taken, by name. */
  readonly cursors: Record<string, number>;
  /** The code has been told to cancel. */
  isCancelled = false;
  /** The next lap that the method has asked for; it begins only if the method returns it. */
  restart: Restart | undefined;
  readonly ops: Ops = new Ops();
  /** Gives the same numbers on each replay. */
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

  /** Delivers results that were just stored. */
  deliver(deliveries: readonly Delivery[]): void {
    this.#undelivered += deliveries.length;
    windows.deliver(this, deliveries);
  }

  /** Whether all deliveries are made and no code is executing. */
  get stands(): boolean {
    return this.#undelivered === 0 && windows.current !== this;
  }
  get isOver(): boolean {
    return this.#isOver;
  }
  /** Whether the code repeats what it did in an earlier turn: its log lines were written then. */
  get isReplaying(): boolean {
    return this.#isReplaying;
  }

  /** Opens an op; called synchronously by the code. Returns a real promise: other thenables lose the async context. */
  open(...[kind, name, hash, detail]: [Op["kind"], string, number, OpDetail]): Promise<any> {
    if (this.#isOver) return new Promise(() => {}); // a promise of its own: a shared one would retain the frames of all that await it
    if (windows.current !== this) return this.blockFor(foreignBefore({ kind, name }));
    const op = new Op(kind, name, hash, detail);
    this.ops.open(op);
    return op.promise;
  }

  /** Blocks a frame whose code cannot continue as it is. Called synchronously by the code, which never gets an answer. */
  blockFor(reason: string): Promise<never> {
    this.#block(reason);
    return new Promise(() => {});
  }

  /** Drops all references to the code. None of it runs any more: no catch, no finally. */
  drop(reason?: unknown): void {
    this.#isOver = true;
    this.driver = undefined;
    this.#code = () => {}; // the code may retain much, and a timer of the user may retain this frame
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

  /** Numbers the ops that the code has opened; false if they differ from the journal. */
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
