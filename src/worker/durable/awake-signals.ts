// Signals for a run whose steps are executing. The leader offers signals only to a parked run, so the worker reads these from the log. A timer
// beside them is not delivered until the store has said that no signal came before its deadline.
import { entryOfOrigin } from "../../domain/origin.ts";
import type { Delivery } from "../../wire/journal-message.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { SignalSource, StoredSignal } from "./signals.ts";
import type { TurnParts } from "./turn-parts.ts";

/** The clock of this process may be ahead of the store's. */
export const clockMarginMs = 250;
/** Looks several times after each announcement: a signal is announced before it is stored. */
const lookAgainMs = [20, 200, 2_000];

export class AwakeSignals {
  readonly #parts: TurnParts;
  readonly #source: SignalSource;
  /** Called after each look, whether it found a signal or not. */
  readonly #onNews: () => void;
  #frame: Frame | undefined;
  #stopWatching: (() => void) | undefined;
  #isLooking = false;
  #found: (StoredSignal & { readonly name: string }) | undefined;
  /** The log had no other signal for this run at this time. Units: epoch milliseconds */
  knownUntil: number = Number.NEGATIVE_INFINITY;

  constructor(parts: TurnParts, source: SignalSource, onNews: () => void) {
    this.#parts = parts;
    this.#source = source;
    this.#onNews = onNews;
  }

  /** Looks for signals from now on, if the code waits for any while its steps execute. */
  attend(frame: Frame): void {
    if (this.#stopWatching !== undefined || signalWaits(frame).length === 0) return;
    const { host, given } = this.#parts;
    this.#frame = frame;
    this.#stopWatching = this.#source.watch(given.key, () => {
      for (const ms of lookAgainMs) host.clock.set(() => this.look(), ms);
    });
    this.look();
  }

  /** Delivers the first signal that was found to the lowest op that takes it. */
  take(frame: Frame): Delivery | undefined {
    const found = this.#found;
    this.#found = undefined;
    if (found === undefined || found.sequence <= (frame.cursors[found.name] ?? 0)) return undefined;
    const { name, time, sequence, data: value } = found;
    return signalWaits(frame)
      .find((op) => op.name === name)
      ?.end({ form: "value", time, sequence, value });
  }

  /** Asks the store, unless a request is open. Errors are ignored: a missed signal is offered once the run is parked. */
  look(): void {
    if (this.#isLooking || this.#stopWatching === undefined) return;
    this.#isLooking = true;
    void this.#ask()
      .catch(() => {})
      .then(() => {
        this.#isLooking = false;
        if (this.#stopWatching !== undefined) this.#onNews();
      });
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#frame = undefined;
  }

  async #ask(): Promise<void> {
    const { key, origin } = this.#parts.given;
    const frame = this.#frame!;
    const askedAt = this.#parts.host.clock.now();
    const names = new Set(signalWaits(frame).map(({ name }) => name));
    const found = await Promise.all(
      [...names].map(async (name) => {
        const signal = await this.#source.next(key, name, Math.max(frame.cursors[name] ?? 0, entryOfOrigin(origin)));
        return signal && { ...signal, name };
      }),
    );
    [this.#found] = found.filter((one) => one !== undefined).sort((a, b) => a.sequence - b.sequence);
    if (this.#found === undefined) this.knownUntil = askedAt;
  }
}

const signalWaits = (frame: Frame): readonly Op[] => frame.ops.thatAre("open").filter(({ kind }) => kind === "signal");
