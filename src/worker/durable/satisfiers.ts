// What comes for the waits of a run from outside: what the log offers, a wish to cancel, and timers that compete with nothing.
import { cancelSignal } from "../../domain/durable.ts";
import { RunCancelled } from "../../domain/errors.ts";
import { type Delivery, noOp } from "../../wire/journal-message.ts";
import type { Frame } from "./frame.ts";
import type { Offers } from "./offers.ts";
import type { Op } from "./op.ts";
import { encodeError } from "./stored-error.ts";
import { openWaits, timeOf } from "./waits.ts";

/** Units: `time` epoch milliseconds; `sequence` 0 where the log was not asked */
export interface Wish {
  readonly reason: string;
  readonly time: number;
  readonly sequence: number;
}

export class Satisfiers {
  offers: Offers | undefined;
  /** To cancel, while it has not reached the code. */
  wish: Wish | undefined;
  readonly #key: string;
  readonly #now: () => number;

  constructor(key: string, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /** One a record, and first in it: a delivery before it could close its wait, and it would be taken and never seen. */
  next(frame: Frame): Delivery[] {
    if (this.wish !== undefined) {
      const cancelled = this.#cancelWaits(frame, this.wish);
      if (cancelled.length > 0) return cancelled;
    }
    const offered = this.offers?.next(frame) ?? this.#ownTimer(frame);
    return offered === undefined ? [] : [offered];
  }

  /** The earliest wait, if nothing but time is waited for. */
  nextTime(frame: Frame): { readonly op: Op; readonly at: number } | undefined {
    let next: { op: Op; at: number } | undefined;
    for (const op of openWaits(frame)) {
      const at = timeOf(op);
      if (at === undefined) return undefined;
      if (next === undefined || at < next.at) next = { op, at };
    }
    return next;
  }

  cancelled(reason: string): RunCancelled {
    return new RunCancelled({ key: this.#key, reason });
  }

  /** What a failed step gives: the one that a wish to cancel has stopped is where it reaches the code. */
  stepFailed(error: string): Pick<Delivery, "form" | "value" | "sequence"> {
    const { wish } = this;
    if (wish === undefined) return { form: "error", value: error, sequence: 0 };
    this.wish = undefined;
    return { form: "cancel", value: encodeError(this.cancelled(wish.reason)), sequence: wish.sequence };
  }

  /** It reaches the code once, at all waits that are open then and all steps that have not begun; steps that execute come first. */
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
    return open.map((op) => {
      op.state = "ended";
      const { kind, ordinal, hash, name } = op;
      return { ...note, kind, ordinal, hash, name, value };
    });
  }

  /** One whose time has come; nothing that the log could have goes before it. */
  #ownTimer(frame: Frame): Delivery | undefined {
    const next = this.nextTime(frame);
    if (next === undefined || next.at > this.#now() || next.op.kind === "step") return undefined;
    const { kind, ordinal, hash, name } = next.op;
    next.op.state = "ended";
    return { kind, form: "value", ordinal, time: next.at, sequence: 0, hash, name, value: "" };
  }
}
