// Timers that the worker itself may fire: those of a run that waits only for time and for signals, which the worker can look for in the log.
import type { Delivery } from "../../wire/journal-message.ts";
import { type AwakeSignals, clockMarginMs } from "./awake-signals.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { StepClock } from "./step-clock.ts";
import { openWaits, timeOf } from "./waits.ts";

/** An op that waits for a time. */
interface Timed {
  readonly op: Op;
  /** Units: epoch milliseconds */
  readonly at: number;
  readonly isBesideSignals: boolean;
}

/** The run is not parked for a timer that is due this soon. */
const nearMs = 50;

export class OwnTimers {
  readonly #clock: StepClock;
  readonly #signals: AwakeSignals | undefined;

  constructor(clock: StepClock, signals: AwakeSignals | undefined) {
    this.#clock = clock;
    this.#signals = signals;
  }

  /** Delivers a timer that is due if nothing in the log can come before it. */
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

  /** Time until a timer can be taken or a step is due again; undefined if neither is, or if the run also waits for what the worker cannot see. */
  msToNext(frame: Frame, withSteps: boolean): number | undefined {
    const next = this.#next(frame);
    if (next === undefined || (!withSteps && next.op.kind === "step")) return undefined;
    const at = next.isBesideSignals ? next.at + clockMarginMs : next.at;
    return at - this.#clock.now();
  }

  /** Time until the next timer, if it is so short that the run need not be parked. */
  msToNear(frame: Frame): number | undefined {
    const next = this.#next(frame);
    if (next === undefined || next.isBesideSignals) return undefined;
    const ms = next.at - this.#clock.now();
    return ms <= nearMs ? ms : undefined;
  }

  /** The op that is due first; undefined if the run also waits for something that the worker cannot see. */
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
