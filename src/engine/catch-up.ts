// Folding what is stored by now, before something is said that rests on it.
import type { RunStore } from "../nats/run-store.ts";
import type { Follower } from "./follower.ts";

export interface CatchUpParts {
  readonly store: Pick<RunStore, "lastSeq" | "newestSeq">;
  readonly follower: Pick<Follower, "reached">;
}

/** Units: milliseconds */
const briefly = 100;
const lookAgainMs = 1_000;

export class LogCatchUp {
  readonly #parts: CatchUpParts;
  /** What is under way, and what begins after it. */
  #round: Promise<void> | undefined;
  #nextRound: Promise<void> | undefined;

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when all that is stored by now is folded. What is purged meanwhile is not waited for.
   *
   * The stream's leader says what is stored: a replica may not have yet what a caller was told is stored. Calls share a round, but only
   * one that has not begun: the others may have asked too early. Fails: StoreUnavailable
   */
  catchUp(): Promise<void> {
    this.#nextRound ??= (this.#round ?? Promise.resolve()).then(() => {
      const round = this.#once();
      this.#nextRound = undefined;
      this.#round = round.catch(() => {});
      return round;
    });
    return this.#nextRound;
  }

  async #once(): Promise<void> {
    const { store, follower } = this.#parts;
    if (await isWithin(briefly, follower.reached(await store.lastSeq()))) return;
    for (;;) {
      const newest = await store.newestSeq(); // the last ones may have been purged
      if (await isWithin(lookAgainMs, follower.reached(newest))) return;
    }
  }
}

/** Whether something is done within `ms`. */
function isWithin(ms: number, something: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void something.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
