// Signals for a run whose steps are executing: it is not parked, so nobody offers it any. They are read from the log, and a concurrent timer
// waits until the store has said that none preceded its deadline.
import { entryOfOrigin } from "../../domain/origin.ts";
import type { Delivery } from "../../wire/journal-message.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { StepClock } from "./step-clock.ts";

export interface StoredSignal {
  readonly sequence: number;
  /** Units: epoch milliseconds, by the store */
  readonly time: number;
  /** JSON; empty for undefined. */
  readonly data: string;
}

export interface SignalSource {
  /** Calls back when a signal to this run is about to be stored. Returns a function that stops it. */
  watch(key: string, onSignal: () => void): () => void;
  /** The first of this name after a sequence, from the stream's leader. Fails: StoreUnavailable */
  next(key: string, name: string, after: number): Promise<StoredSignal | undefined>;
}

interface AwakeParts {
  readonly source: SignalSource;
  readonly key: string;
  readonly origin: number;
  readonly clock: StepClock;
  /** Something was found, or it is known that nothing was there. */
  readonly onNews: () => void;
}

/** The clock of this process may be ahead of the store's. */
export const clockMarginMs = 250;
/** A signal is announced before it is stored. */
const lookAgainMs = [20, 200, 2_000];

export class AwakeSignals {
  readonly #parts: AwakeParts;
  #frame: Frame | undefined;
  #stopWatching: (() => void) | undefined;
  #isLooking = false;
  #found: (StoredSignal & { readonly name: string }) | undefined;
  /** Nothing else was there at that time. */
  knownUntil: number = Number.NEGATIVE_INFINITY;

  constructor(parts: AwakeParts) {
    this.#parts = parts;
  }

  /** From now on, while signals are waited for beside steps. */
  attend(frame: Frame): void {
    if (this.#stopWatching !== undefined || signalWaits(frame).length === 0) return;
    const { source, key, clock } = this.#parts;
    this.#frame = frame;
    this.#stopWatching = source.watch(key, () => {
      for (const ms of lookAgainMs) clock.set(() => this.look(), ms);
    });
    this.look();
  }

  /** The first signal goes to the lowest op that takes it. */
  take(frame: Frame): Delivery | undefined {
    const found = this.#found;
    this.#found = undefined;
    if (found === undefined || found.sequence <= (frame.cursors[found.name] ?? 0)) return undefined;
    const { name, time, sequence, data: value } = found;
    return signalWaits(frame)
      .find((op) => op.name === name)
      ?.end({ form: "value", time, sequence, value });
  }

  /** Asks the store, unless a request is open. Never rejects: what is missed is offered once the run is parked. */
  look(): void {
    if (this.#isLooking || this.#stopWatching === undefined) return;
    this.#isLooking = true;
    void this.#ask()
      .catch(() => {})
      .then(() => {
        this.#isLooking = false;
        if (this.#stopWatching !== undefined) this.#parts.onNews();
      });
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#frame = undefined;
  }

  async #ask(): Promise<void> {
    const { source, key, origin, clock } = this.#parts;
    const frame = this.#frame!;
    const askedAt = clock.now();
    const names = new Set(signalWaits(frame).map(({ name }) => name));
    const found = await Promise.all(
      [...names].map(async (name) => {
        const signal = await source.next(key, name, Math.max(frame.cursors[name] ?? 0, entryOfOrigin(origin)));
        return signal && { ...signal, name };
      }),
    );
    [this.#found] = found.filter((one) => one !== undefined).sort((a, b) => a.sequence - b.sequence);
    if (this.#found === undefined) this.knownUntil = askedAt;
  }
}

const signalWaits = (frame: Frame): readonly Op[] => frame.opsThatAre("open").filter(({ kind }) => kind === "signal");
