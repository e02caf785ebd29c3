// What arrives for the waits of a lap: a wish to cancel, offers of the log, signals found while steps execute, and timers.
import type { Delivery } from "../../wire/journal-message.ts";
import type { AwakeChildren } from "./awake-children.ts";
import { AwakeSignals } from "./awake-signals.ts";
import type { Frame } from "./frame.ts";
import type { Offers } from "./offers.ts";
import { OwnTimers } from "./own-timers.ts";
import type { TurnParts } from "./turn-parts.ts";

export class Satisfiers {
  readonly timers: OwnTimers;
  readonly #wish: TurnParts["wish"];
  readonly #offers: Offers | undefined;
  readonly #children: AwakeChildren;
  readonly #signals: AwakeSignals | undefined;

  /** `onNews` is called when there may be something new to deliver. */
  constructor(turn: TurnParts, offers: Offers | undefined, children: AwakeChildren, onNews: () => void) {
    const { signals, clock } = turn.host;
    this.#wish = turn.wish;
    this.#offers = offers;
    this.#children = children;
    this.#signals = signals && new AwakeSignals(turn, signals, onNews);
    this.timers = new OwnTimers(clock, this.#signals);
  }

  /**
   * The next delivery to a wait, or a cancellation of all. One a record, and before the results of steps: a delivery before it could close its
   * wait, and it would be taken without ever reaching the code.
   */
  next(frame: Frame): Delivery[] {
    const cancelled = this.#wish.reach(frame);
    if (cancelled.length > 0) return cancelled;
    const fromLog = this.#offers?.next(frame);
    if (fromLog?.kind === "children") this.#children.learn(fromLog, frame.ops.at(fromLog.ordinal)?.openedAt ?? 0);
    const offered = fromLog ?? this.#signals?.take(frame) ?? this.timers.take(frame);
    return offered === undefined ? [] : [offered];
  }

  /** Looks for signals itself while steps execute: the leader offers none to a run that is not parked. */
  attend(frame: Frame): void {
    this.#signals?.attend(frame);
  }

  /** Stops looking for signals, because the lap is over. */
  stop(): void {
    this.#signals?.stop();
  }
}
