// worker/durable/: the code of durable runs, one turn at a time.
// One turn of a durable run on its worker: reads the journal, lets the code continue, stores what it receives before the code sees it,
// and ends when the code does, or when everything open waits for something outside.
import type { Parked, Wait } from "../../domain/durable.ts";
import { RunCancelled } from "../../domain/errors.ts";
import { readProperty } from "../../domain/thrown.ts";
import type { Delivery, DeliveryForm } from "../../wire/journal-message.ts";
import { clockMarginMs } from "./awake-signals.ts";
import { isKeyMissing, keyless, mayPass, misfit } from "./blocked.ts";
import { type Driver, Frame } from "./frame.ts";
import { JournalWriter, type Record } from "./journal-writer.ts";
import { offersOf } from "./offers.ts";
import type { Op } from "./op.ts";
import { openingOf, type ParkedAt, type Start } from "./opening.ts";
import { foreignOnly, openedOther, type Problem } from "./problem.ts";
import { Restart } from "./restart.ts";
import { Satisfiers } from "./satisfiers.ts";
import { StepRunner } from "./step-runner.ts";
import { encodeError } from "./stored-error.ts";
import type { KeptFrame, TurnEnd, TurnGiven, TurnHost } from "./turn-host.ts";
import { openWaits, waitsOf } from "./waits.ts";

/** Code that starts within this time after its run was created counts as started then: its journal need not say when. */
const onTimeMs = 100;
/** A timer this near is waited for in place. */
const awakeMs = 50;
/** Code that awaits nothing from natchet gets this long to show where. */
const foreignMs = 1_000;
const refusedMs = 10_000;
const shorterJournalMs = 30_000;
const forgotten = "ctx.restart(input) was called, but what it gave was not returned; write return ctx.restart(input)";

export class DurableTurn implements Driver {
  readonly #host: TurnHost;
  readonly #given: TurnGiven;
  readonly #onEnd: (end: TurnEnd) => void;
  readonly #writer: JournalWriter;
  readonly #steps: StepRunner;
  readonly #outside: Satisfiers;
  #frame: Frame | undefined;
  /** For the next record. */
  #results: Delivery[] = [];
  /** Nothing has been appended in this turn, and something must be before code continues. */
  #mustBegin = true;
  #isWriting = false;
  /** What a replay must reach: this many ops, and no more if nothing was stored since the run was parked. */
  #parkedAt: ParkedAt | undefined;
  /** Groups whose children are on their way to the log. */
  #creating = 0;
  #isLeaving = false;
  #isOver = false;
  #timer: unknown;

  constructor(host: TurnHost, given: TurnGiven, onEnd: (end: TurnEnd) => void) {
    this.#host = host;
    this.#given = given;
    this.#onEnd = onEnd;
    const { journal, newAttempt, clock, graceMs } = host;
    const { key, origin, turn } = given;
    const mayAppend = () => host.isHeard() || this.#heard();
    this.#writer = new JournalWriter({ journal, name: { key, origin }, turn, attempt: newAttempt(), mayAppend });
    this.#steps = new StepRunner({
      ...{ clock, graceMs },
      largestResult: () => Math.floor(journal.largestMessage / 2),
      onEnd: (op, form, value) => this.#stepEnded(op, form, value),
      onGone: () => this.#soon(),
      isLast: () => this.#outside.wish !== undefined,
      isLeaving: () => this.#isLeaving,
    });
    this.#outside = new Satisfiers({ ...host, ...given, onNews: () => this.#soon() });
    this.#outside.wish = given.resume?.offers.find((offer) => offer.kind === "cancel");
  }

  /** `kept`: of an earlier turn on this worker. Never rejects. */
  begin(kept?: KeptFrame): void {
    void this.#begin(kept).catch((error) => this.#refused(error));
  }

  /** A wish to cancel; `sequence` and `time` from the log, if it was asked. */
  cancel(reason: string, sequence = 0, time: number = this.#host.clock.now()): void {
    if (this.#isOver || this.#outside.wish !== undefined || this.#frame?.isCancelled) return;
    this.#outside.wish = { reason, time, sequence };
    this.#steps.abort(this.#outside.cancelled(reason));
    this.#soon();
  }

  /** No new step starts here; executing steps may end. */
  leave(): void {
    if (this.#isLeaving || this.#isOver) return;
    this.#isLeaving = true;
    this.#steps.leave();
    this.#soon();
  }

  /** Like {@link leave}, and executing steps are told to stop. */
  giveBack(reason: unknown): void {
    this.leave();
    this.#steps.giveUp(reason);
    if (this.#frame === undefined) this.#end({ kind: "returned" });
  }

  /** Executing steps do not end. */
  abandon(reason: unknown): void {
    this.#end({ kind: "returned" }, reason);
  }

  /** The turn no longer counts. */
  fence(reason: unknown): void {
    this.#end({ kind: "fenced" }, reason);
  }

  stands(opened: readonly Op[]): boolean {
    const { count } = this.#frame!;
    const parkedAt = this.#parkedAt;
    this.#parkedAt = undefined;
    if (parkedAt !== undefined && (parkedAt.isAll ? count !== parkedAt.ops : count < parkedAt.ops)) {
      this.#frame!.drop();
      this.blocked(openedOther(parkedAt.ops, count));
      return false;
    }
    for (const op of opened) {
      if (op.kind === "step") this.#steps.add(op);
      else this.#wait(op);
    }
    return this.#goOn();
  }

  ended(threw: boolean, value: unknown): void {
    const { leftBehind } = this.#frame!;
    if (leftBehind.length > 0) this.#host.onLeftBehind?.(this.#given.key, leftBehind, threw);
    if (!threw && value instanceof Restart)
      return void this.#restart(value.input).catch((error) => this.#refused(error));
    const isForgotten = !threw && this.#frame!.restart !== undefined;
    if (isForgotten) return void this.#end({ kind: "failed", error: new TypeError(forgotten) });
    if (!threw) return void this.#end({ kind: "completed", output: value });
    if (this.#frame!.isCancelled && value instanceof RunCancelled)
      this.#end({ kind: "cancelled", reason: value.reason });
    else this.#end({ kind: "failed", error: value });
  }

  blocked({ message, stack }: Problem): void {
    const { key, resume } = this.#given;
    const told = "a durable run waits for code that matches its journal (natchet runs list --blocked)";
    this.#host.log.error(told, { run: key, reason: message, stack });
    this.#block(misfit(resume?.parked, message, this.#host.code, this.#host.clock.now()));
  }

  warned({ message }: Problem): void {
    this.#host.log.warn("a durable run is replayed with other arguments", { run: this.#given.key, reason: message });
  }

  async #begin(kept: KeptFrame | undefined): Promise<void> {
    const { turn, createdAt, input } = this.#given;
    const offers = offersOf(this.#given, this.#host.openSignal);
    this.#outside.offers = offers instanceof Promise ? await offers : offers;
    if (this.#isOver) return;
    if (kept !== undefined) {
      this.#frame = kept.frame;
      this.#frame.driver = this;
      this.#writer.lastSeq = kept.lastSeq;
      return void this.#goOn();
    }
    if (turn > 1) return this.#read(false);
    const isOnTime = this.#host.clock.now() - createdAt <= onTimeMs;
    if (!isOnTime) return this.#beginLate();
    this.#mustBegin = false;
    await this.#make({ input, time: createdAt });
  }

  /** The journal says when the code started. */
  async #beginLate(): Promise<void> {
    const time = this.#host.clock.now();
    this.#mustBegin = false;
    const isStored = await this.#store({ begins: true, starts: true, time, deliveries: [] });
    if (isStored) await this.#make({ input: this.#given.input, time });
  }

  async #read(isAgain: boolean): Promise<void> {
    const opening = await openingOf(this.#host.journal, this.#given, isAgain);
    if (this.#isOver) return;
    if (opening.kind === "fenced") return this.#end({ kind: "fenced" });
    if (opening.kind === "shorter") {
      const told = "a journal has lost its end; its durable run continues once it is back";
      this.#host.log.error(told, { run: this.#given.key });
      return this.#end({ kind: "later", ms: shorterJournalMs });
    }
    if (opening.kind === "empty") return this.#beginLate();
    this.#writer.lastSeq = opening.lastSeq;
    this.#steps.fruitless = opening.fruitless + 1; // including whoever began before this one
    this.#parkedAt = opening.parkedAt;
    await this.#make(opening.start, opening.deliveries, opening.waits);
  }

  async #make(start: Start, stored: readonly Delivery[] = [], waits: readonly Wait[] = []): Promise<void> {
    const { id, codeFor, input } = this.#given;
    const { lap = 1, time, cursors = {} } = start;
    let code: (frame: Frame) => unknown;
    try {
      code = await codeFor(start.input ?? input);
    } catch (error) {
      return mayPass(error) ? this.#refused(error) : this.#end({ kind: "failed", error });
    }
    if (this.#isOver) return;
    this.#outside.children.stop();
    this.#frame = new Frame({ id, lap, time, cursors }, code);
    this.#frame.begin(this, stored, waits);
  }

  /** Does whatever can be done now. Returns whether it called user code. */
  #goOn(): boolean {
    const frame = this.#frame;
    if (this.#isOver || this.#isWriting || frame === undefined || !frame.stands || frame.isOver) return false;
    const deliveries = [...this.#outside.next(frame), ...this.#takeResults(frame)];
    const hasStarted = !this.#mustBegin && !this.#isLeaving && this.#steps.begin(frame);
    if (deliveries.length > 0 || this.#mustBegin) void this.#record(deliveries);
    else if (this.#steps.size === 0 && this.#creating === 0) this.#standsStill(frame);
    else {
      this.#outside.awake?.attend(frame);
      this.#watchTimes(frame);
    }
    return hasStarted;
  }

  #soon(): void {
    queueMicrotask(() => this.#goOn());
  }

  #wait(op: Op): void {
    op.state = "open";
    if (op.kind !== "children") return;
    const { lap } = this.#frame!;
    const parked = this.#given.resume?.parked;
    if (parked?.lap === lap && op.ordinal < parked.ops) return; // they are stored
    this.#creating += 1;
    const { ordinal, name, detail } = op;
    op.openedAt = this.#host.clock.now();
    this.#outside.children.create({ task: name, lap, ordinal, inputs: detail.inputs!, atOnce: detail.atOnce }).then(
      () => {
        this.#creating -= 1;
        this.#soon();
      },
      (error) => {
        this.#creating -= 1;
        // A retry would only be refused again.
        if (readProperty(error, "name") === "PayloadTooLarge") this.#stepEnded(op, "error", encodeError(error));
        else this.#refused(error);
      },
    );
  }

  #stepEnded(op: Op, form: DeliveryForm, value: string): void {
    if (this.#isOver) return;
    if (op.state !== "closed") {
      const time = Math.max(this.#host.clock.now(), this.#frame!.time);
      const given = form === "error" ? this.#outside.stepFailed(value) : { form, value, sequence: 0 };
      this.#results.push(op.end({ time, ...given }));
    }
    setImmediate(() => this.#goOn()); // what ends at the same moment goes into the same record
  }

  #takeResults(frame: Frame): Delivery[] {
    const results = this.#results.splice(0).filter(({ ordinal }) => frame.opAt(ordinal)?.state === "ended");
    return [...results, ...this.#outside.children.take(frame)];
  }

  /** Nothing is in progress: wait a moment, park, or give it back. */
  #standsStill(frame: Frame): void {
    const hasSteps = this.#steps.hasWaiting || frame.opsThatAre("open").some((op) => !op.isWait);
    if (hasSteps) return void this.#return();
    if (openWaits(frame).length === 0) return void this.#watchForeign(frame);
    const childrenMs = this.#isLeaving ? 0 : this.#outside.children.timeFor(frame);
    if (childrenMs > 0) return void this.#wakeIn(childrenMs);
    const next = this.#outside.nextTime(frame);
    const isNear = next !== undefined && !next.isBesideSignals && next.at - this.#host.clock.now() <= awakeMs;
    if (isNear && !this.#isLeaving) return void this.#watchTimes(frame);
    const { lap, count, cursors } = frame;
    const { lastSeq } = this.#writer;
    const parked = { lap, ops: count, waits: waitsOf(frame), cursors: { ...cursors }, journalSeq: lastSeq };
    this.#end({ kind: "parked", parked, kept: { frame, turn: this.#given.turn, lastSeq } });
  }

  #watchTimes(frame: Frame): void {
    const next = this.#outside.nextTime(frame);
    if (next === undefined || (this.#isLeaving && next.op.kind === "step")) return;
    const at = next.isBesideSignals ? next.at + clockMarginMs : next.at;
    this.#wakeIn(at - this.#host.clock.now());
  }

  #watchForeign(frame: Frame): void {
    this.#wakeIn(foreignMs, () => {
      if (this.#isOver || !frame.stands || frame.isOver || openWaits(frame).length > 0 || this.#steps.size > 0) return;
      frame.drop();
      this.blocked(foreignOnly());
    });
  }

  #wakeIn(ms: number, act: () => unknown = () => this.#goOn()): void {
    const { clock } = this.#host;
    clock.clear(this.#timer);
    this.#timer = clock.set(act, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
  }

  async #record(deliveries: readonly Delivery[]): Promise<void> {
    const begins = this.#mustBegin;
    try {
      if (!(await this.#store({ begins, time: this.#host.clock.now(), deliveries }))) return;
    } catch (error) {
      return this.#refused(error);
    }
    this.#mustBegin = false;
    if (deliveries.length === 0) return void this.#goOn();
    this.#steps.fruitless = 0;
    this.#frame!.deliver(deliveries);
  }

  /** False if the turn does not continue from here. */
  async #store(record: Record): Promise<boolean> {
    this.#isWriting = true;
    const written = await this.#writer.write(record);
    this.#isWriting = false;
    if (this.#isOver) return false;
    if (written === "stored") return true;
    if (written === "fenced") this.#end({ kind: "fenced" });
    else await this.#startOver();
    return false;
  }

  /** Somebody has appended since: this turn's view of the journal is outdated. */
  async #startOver(): Promise<void> {
    this.#frame?.drop();
    this.#frame = undefined;
    this.#steps.forget(new Error("the turn starts over"));
    this.#results = [];
    this.#mustBegin = true;
    await this.#read(true);
  }

  async #restart(input: unknown): Promise<void> {
    const { lap, cursors } = this.#frame!;
    this.#parkedAt = undefined; // of the lap that has ended, perhaps without standing still
    this.#steps.forget(new Error("the method has ended"));
    this.#results = [];
    const json = JSON.stringify(input) ?? "";
    const time = this.#host.clock.now();
    const start = { lap: lap + 1, input: json, cursors: { ...cursors } };
    if (!(await this.#store({ lap: start, time, deliveries: [] }))) return;
    if (this.#isLeaving) return this.#end({ kind: "returned" });
    this.#mustBegin = false;
    this.#outside.offers = undefined;
    await this.#make({ ...start, time });
  }

  /** Its worker stops. Distinguishes a run given back from a lost one. */
  #return(): void {
    const record = { returns: true, begins: this.#mustBegin, time: this.#host.clock.now(), deliveries: [] };
    void this.#store(record)
      .catch(() => true)
      .then((isStored) => isStored && this.#end({ kind: "returned" }));
  }

  /** Resolves once the leader is heard again; false if the turn is over by then. */
  async #heard(): Promise<boolean> {
    while (!this.#isOver && !this.#host.isHeard())
      await new Promise<void>((resolve) => this.#host.clock.set(resolve, 250));
    return !this.#isOver;
  }

  #refused(error: unknown): void {
    if (this.#isOver) return;
    const { key, resume } = this.#given;
    const { log, clock } = this.#host;
    if (isKeyMissing(error)) {
      log.error("a durable run waits for its key", { run: key, reason: error.message });
      return void this.#block(keyless(resume?.parked, error.message, clock.now()));
    }
    log.error("the store refuses the journal of a durable run; it continues later", { run: key, error });
    this.#end({ kind: "later", ms: refusedMs });
  }

  #block(parked: Parked): void {
    this.#end({ kind: "parked", parked, kept: undefined });
  }

  #end(end: TurnEnd, reason: unknown = new Error("the turn has ended")): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.clock.clear(this.#timer);
    this.#steps.forget(reason);
    this.#outside.stop();
    const isKept = end.kind === "parked" && end.kept !== undefined;
    if (isKept) this.#frame!.driver = undefined;
    else this.#frame?.drop(reason);
    this.#onEnd(end);
  }
}
