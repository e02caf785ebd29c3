// What arrives for the waits of a run: offers of the log, a wish to cancel, and timers without competition.
import { cancelSignal } from "../../domain/durable.ts";
import { RunCancelled } from "../../domain/errors.ts";
import { type Delivery, noOp } from "../../wire/journal-message.ts";
import { AwakeChildren } from "./awake-children.ts";
import { AwakeSignals, clockMarginMs } from "./awake-signals.ts";
import type { Frame } from "./frame.ts";
import type { Offers } from "./offers.ts";
import type { Op } from "./op.ts";
import { encodeError } from "./stored-error.ts";
import type { TurnGiven, TurnHost } from "./turn-host.ts";
import { openWaits, timeOf } from "./waits.ts";

/** Units: `time` epoch milliseconds; `sequence` 0 where the log was not asked */
export interface Wish {
  readonly reason: string;
  readonly time: number;
  readonly sequence: number;
}

/** An op that waits for its time. */
export interface Timed {
  readonly op: Op;
  /** Units: epoch milliseconds */
  readonly at: number;
  readonly isBesideSignals: boolean;
}

export interface SatisfiersParts
  extends Pick<TurnHost, "clock" | "signals" | "quick">,
    Pick<TurnGiven, "key" | "origin" | "children"> {
  /** There may be something new. */
  readonly onNews: () => void;
}

export class Satisfiers {
  offers: Offers | undefined;
  readonly children: AwakeChildren;
  /** Of a run whose steps execute. */
  readonly awake: AwakeSignals | undefined;
  /** A wish to cancel that has not reached the code. */
  wish: Wish | undefined;
  readonly #key: string;
  readonly #now: () => number;

  constructor({ key, origin, clock, signals: source, children, quick = new Map(), onNews }: SatisfiersParts) {
    this.#key = key;
    this.#now = () => clock.now();
    this.children = new AwakeChildren({ children, quick, clock, onNews });
    this.awake = source && new AwakeSignals({ source, key, origin, clock, onNews });
  }

  /** One per record, and first in it: an earlier delivery could close its wait, so that it would be taken and never seen. */
  next(frame: Frame): Delivery[] {
    if (this.wish !== undefined) {
      const cancelled = this.#cancelWaits(frame, this.wish);
      if (cancelled.length > 0) return cancelled;
    }
    const fromLog = this.offers?.next(frame);
    if (fromLog?.kind === "children") this.children.learn(fromLog, frame.opAt(fromLog.ordinal)?.openedAt ?? 0);
    const offered = fromLog ?? this.awake?.take(frame) ?? this.#ownTimer(frame);
    return offered === undefined ? [] : [offered];
  }

  /** The earliest timer, if the run waits only for time, or for signals, which can be checked for earlier ones. */
  nextTime(frame: Frame): Timed | undefined {
    let next: Timed | undefined;
    let isBesideSignals = false;
    for (const op of openWaits(frame)) {
      const at = timeOf(op);
      if (at === undefined && (op.kind !== "signal" || this.awake === undefined)) return undefined;
      if (at === undefined) {
        isBesideSignals = true;
        continue;
      }
      if (next === undefined || at < next.at) next = { op, at, isBesideSignals };
    }
    return next && { ...next, isBesideSignals };
  }

  /** The turn is over. */
  stop(): void {
    this.awake?.stop();
    this.children.stop();
  }

  cancelled(reason: string): RunCancelled {
    return new RunCancelled({ key: this.#key, reason });
  }

  /** The result of a failed step: if a wish to cancel stopped it, this is where it reaches the code. */
  stepFailed(error: string): Pick<Delivery, "form" | "value" | "sequence"> {
    const { wish } = this;
    if (wish === undefined) return { form: "error", value: error, sequence: 0 };
    this.wish = undefined;
    return { form: "cancel", value: encodeError(this.cancelled(wish.reason)), sequence: wish.sequence };
  }

  /** It reaches the code once, at all open waits and all steps that have not started; executing steps come first. */
  #cancelWaits(frame: Frame, { reason, time, sequence }: Wish): Delivery[] {
    const note = { time, sequence, form: "cancel" as const };
    if (frame.isCancelled) {
      this.wish = undefined;
      if (sequence <= (frame.cursors[cancelSignal] ?? 0)) return [];
      return [{ ...note, kind: "signal", ordinal: noOp, hash: 0, name: cancelSignal, value: "" }];
    }
    const open = [...openWaits(frame), ...frame.opsThatAre("new")];
    if (open.length === 0) return [];
    this.wish = undefined;
    const value = encodeError(this.cancelled(reason));
    return open.map((op) => op.end({ ...note, value }));
  }

  /** One that is due; nothing in the log could precede it. */
  #ownTimer(frame: Frame): Delivery | undefined {
    const next = this.nextTime(frame);
    if (next === undefined || next.at > this.#now() || next.op.kind === "step") return undefined;
    const { awake } = this;
    if (next.isBesideSignals && awake!.knownUntil < next.at + clockMarginMs) {
      if (this.#now() >= next.at + clockMarginMs) awake!.look();
      return undefined;
    }
    return next.op.end({ form: "value", time: next.at, sequence: 0, value: "" });
  }
}
