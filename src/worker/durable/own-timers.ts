// Timers that the worker itself may let fire: those of a run that waits for nothing but time, or for signals, which it can look for.
import type { Delivery } from "../../wire/journal-message.ts";
import { type AwakeSignals, clockMarginMs } from "./awake-signals.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { StepClock } from "./step-clock.ts";
import { openWaits, timeOf } from "./waits.ts";

/** An op that waits for its time. */
interface Timed {
  readonly op: Op;
  /** Units: epoch milliseconds */
  readonly at: number;
  readonly isBesideSignals: boolean;
}

/** A timer this near is waited for in place. */
const nearMs = 50;

export class OwnTimers {
  readonly #clock: StepClock;
  readonly #signals: AwakeSignals | undefined;

  constructor(clock: StepClock, signals: AwakeSignals | undefined) {
    this.#clock = clock;
    this.#signals = signals;
  }

  /** One that is due; nothing in the log could precede it. */
  take(frame: Frame): Delivery | undefined {
    const next = this.#next(frame);
    const now = this.#clock.now();
    if (next === undefined || next.at > now || next.op.kind === "step") return undefined;
    if (next.isBesideSignals && this.#signals!.knownUntil < next.at + clockMarginMs) {
      if (now >= next.at + clockMarginMs) this.#signals!.look();
      return undefined;
    }
    return next.op.end({ form: "value", time: next.at, sequence: 0, value: "" });
  }

  /** Time until there may be one to take, or a step is due again; undefined if something else comes first. */
  msToNext(frame: Frame, withSteps: boolean): number | undefined {
    const next = this.#next(frame);
    if (next === undefined || (!withSteps && next.op.kind === "step")) return undefined;
    const at = next.isBesideSignals ? next.at + clockMarginMs : next.at;
    return at - this.#clock.now();
  }

  /** As {@link msToNext}, if that is so soon that the run need not be parked. */
  msToNear(frame: Frame): number | undefined {
    const next = this.#next(frame);
    if (next === undefined || next.isBesideSignals) return undefined;
    const ms = next.at - this.#clock.now();
    return ms <= nearMs ? ms : undefined;
  }

  /** The earliest; undefined if the run waits for anything else too. */
  #next(frame: Frame): Timed | undefined {
    let next: Pick<Timed, "op" | "at"> | undefined;
    let isBesideSignals = false;
    for (const op of openWaits(frame)) {
      const at = timeOf(op);
      if (at === undefined && (op.kind !== "signal" || this.#signals === undefined)) return undefined;
      if (at === undefined) isBesideSignals = true;
      else if (next === undefined || at < next.at) next = { op, at };
    }
    return next && { ...next, isBesideSignals };
  }
}
