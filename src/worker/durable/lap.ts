// A lap of a durable run, as its turn drives it. Every result is stored before the code receives it. The lap starts steps and children, and
// parks the run when nothing is in progress any more.
import type { Delivery } from "../../wire/journal-message.ts";
import { AwakeChildren } from "./awake-children.ts";
import { EndedOps } from "./ended-ops.ts";
import type { Driver, Frame } from "./frame.ts";
import type { JournalRecord } from "./journal-writer.ts";
import type { Op } from "./op.ts";
import type { LapGiven, ParkedAt } from "./opening.ts";
import { foreignOnly, openedOther } from "./problem.ts";
import { Restart } from "./restart.ts";
import { Satisfiers } from "./satisfiers.ts";
import { StepRunner } from "./step-runner.ts";
import { methodEnd, misfitEnd } from "./turn-ends.ts";
import type { TurnEnd } from "./turn-host.ts";
import type { TurnParts } from "./turn-parts.ts";
import { openWaits, waitsOf } from "./waits.ts";

/** Code that waits for nothing that natchet knows of is blocked after this time. Until then it may still open an op. Units: milliseconds */
const foreignMs = 1_000;
const longestTimerMs = 2 ** 31 - 1;

/** The turn that a lap belongs to. */
export interface TurnOfLap extends TurnParts {
  /** Stores a record; false if this lap does not continue. Fails: as {@link JournalWriter.write} */
  store(record: JournalRecord): Promise<boolean>;
  lapEnded(end: TurnEnd | Restart): void;
  /** Ends the turn, which cannot continue after this error. */
  refused(error: unknown): void;
}

export class Lap implements Driver {
  readonly frame: Frame;
  readonly #turn: TurnOfLap;
  readonly #ended: EndedOps;
  readonly #steps: StepRunner;
  readonly #children: AwakeChildren;
  readonly #outside: Satisfiers;
  /** Where the run was parked; undefined once the replay has got there. */
  #parkedAt: ParkedAt | undefined;
  /** A timer for the next look at what can be done. */
  #timer: unknown;

  constructor(turn: TurnOfLap, frame: Frame, { offers, parkedAt, fruitless = 0 }: LapGiven) {
    const onNews = () => this.#soon();
    this.frame = frame;
    this.#turn = turn;
    this.#parkedAt = parkedAt;
    this.#ended = new EndedOps(turn, frame, () => this.#advance());
    this.#steps = new StepRunner(turn, this.#ended, fruitless);
    this.#children = new AwakeChildren(turn, frame.lap, this.#ended, onNews);
    this.#outside = new Satisfiers(turn, offers, this.#children, onNews);
  }

  /** Continues with a frame that was kept while the run was parked. */
  goOn(): void {
    this.frame.driver = this;
    this.#advance();
  }

  cancel(reason: string): void {
    this.#steps.abort(this.#turn.wish.error(reason));
    this.#soon();
  }

  /** Called when the worker is stopping: no new step begins, and executing steps may end. */
  leave(): void {
    this.#steps.leave();
    this.#soon();
  }

  /** Tells executing steps to stop. */
  giveUp(reason: unknown): void {
    this.#steps.giveUp(reason);
  }

  /** Stops driving the frame, with which another lap may continue. */
  letGo(reason: unknown): void {
    this.#turn.host.clock.clear(this.#timer);
    this.#steps.forget(reason);
    this.#outside.stop();
    this.#children.stop();
    this.frame.driver = undefined;
  }

  drop(reason: unknown): void {
    this.letGo(reason);
    this.frame.drop(reason);
  }

  stands(opened: readonly Op[]): boolean {
    const { count } = this.frame.ops;
    const before = this.#parkedAt;
    this.#parkedAt = undefined;
    if (before !== undefined && (before.isAll ? count !== before.ops : count < before.ops)) {
      this.#blockedBy(openedOther(before.ops, count));
      return false;
    }
    for (const op of opened) {
      if (op.kind === "step") this.#steps.add(op);
      else {
        op.state = "open";
        if (op.kind === "children") this.#children.open(op);
      }
    }
    return this.#advance();
  }

  ended(threw: boolean, value: unknown): void {
    const { host, given } = this.#turn;
    const { leftBehind } = this.frame.ops;
    if (leftBehind.length > 0) host.onLeftBehind?.(given.key, leftBehind, threw);
    this.#turn.lapEnded(!threw && value instanceof Restart ? value : methodEnd(this.frame, threw, value));
  }

  blocked(reason: string, stack?: string): void {
    this.#turn.lapEnded(misfitEnd(this.#turn, reason, stack));
  }

  warned(reason: string): void {
    const { host, given } = this.#turn;
    host.log.warn("a durable run is replayed with other arguments", { run: given.key, reason });
  }

  /** Whether this lap still drives its frame. */
  get #isDriving(): boolean {
    return this.frame.driver === this;
  }

  /** Does everything that can be done now. Returns whether user code was called. */
  #advance(): boolean {
    const { frame } = this;
    const { writer, isLeaving } = this.#turn;
    if (!this.#isDriving || writer.isWriting || !frame.stands || frame.isOver) return false;
    const deliveries = [...this.#outside.next(frame), ...this.#ended.take(), ...this.#children.take(frame)];
    const hasStarted = !writer.mustBegin && !isLeaving && this.#steps.begin(frame);
    if (deliveries.length > 0 || writer.mustBegin) void this.#deliver(deliveries);
    else if (this.#steps.size === 0 && !this.#children.areNew) this.#standStill();
    else {
      this.#outside.attend(frame);
      const ms = this.#outside.timers.msToNext(frame, !isLeaving);
      if (ms !== undefined) this.#wakeIn(ms);
    }
    return hasStarted;
  }

  #soon(): void {
    queueMicrotask(() => this.#advance());
  }

  #wakeIn(ms: number, act: () => unknown = () => this.#advance()): void {
    const { clock } = this.#turn.host;
    clock.clear(this.#timer);
    this.#timer = clock.set(act, Math.min(Math.max(ms, 0), longestTimerMs));
  }

  /** Stores the deliveries, then makes them. Without any, it only stores that the turn has begun. */
  async #deliver(deliveries: readonly Delivery[]): Promise<void> {
    try {
      if (!(await this.#turn.store({ time: this.#turn.host.clock.now(), deliveries }))) return;
    } catch (error) {
      return this.#turn.refused(error);
    }
    if (deliveries.length === 0) return void this.#advance();
    this.#steps.fruitless = 0;
    this.frame.deliver(deliveries);
  }

  /** Called when nothing is in progress: gives the run back, waits a moment, or parks the run. */
  #standStill(): void {
    const { frame } = this;
    const hasSteps = this.#steps.hasWaiting || frame.ops.thatAre("open").some((op) => !op.isWait);
    if (hasSteps) return void this.#giveBack();
    if (openWaits(frame).length === 0) return void this.#wakeIn(foreignMs, () => this.#suspectForeign());
    const moment = this.#turn.isLeaving ? undefined : this.#worthwhileMs(frame);
    if (moment === undefined) this.#park();
    else this.#wakeIn(moment);
  }

  /** How long it is worth keeping the slot: for children that end soon, or for a timer. */
  #worthwhileMs(frame: Frame): number | undefined {
    const childrenMs = this.#children.timeFor(frame);
    return childrenMs > 0 ? childrenMs : this.#outside.timers.msToNear(frame);
  }

  #park(): void {
    const { given, writer } = this.#turn;
    const { frame } = this;
    const { lap, ops, cursors } = frame;
    const { lastSeq } = writer;
    const parked = { lap, ops: ops.count, waits: waitsOf(frame), cursors: { ...cursors }, journalSeq: lastSeq };
    this.#turn.lapEnded({ kind: "parked", parked, kept: { frame, turn: given.turn, lastSeq } });
  }

  /** Gives the run back because its worker stops. The journal says so, so that the turn does not count as lost. */
  #giveBack(): void {
    const { host } = this.#turn;
    const told = this.#turn.store({ returns: true, time: host.clock.now(), deliveries: [] });
    void told.catch(() => true).then((isTold) => isTold && this.#turn.lapEnded({ kind: "returned" }));
  }

  #suspectForeign(): void {
    const { frame } = this;
    const isBusy = !frame.stands || frame.isOver || openWaits(frame).length > 0 || this.#steps.size > 0;
    if (this.#isDriving && !isBusy) this.#blockedBy(foreignOnly());
  }

  #blockedBy(reason: string): void {
    this.frame.drop();
    this.blocked(reason);
  }
}
