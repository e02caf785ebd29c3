// Folds everything stored by now, before an answer relies on it.
import type { Leader } from "../leader/leader.ts";
import type { RunStore } from "../nats/run-store.ts";

type Stored = Pick<Leader, "reached"> & { readonly store: Pick<RunStore, "lastSeq" | "newestSeq"> };

/** Units: milliseconds */
const briefly = 100;
const lookAgainMs = 1_000;

export class LogCatchUp {
  readonly #leader: Stored;
  /** The current round, and the next. */
  #round: Promise<void> | undefined;
  #nextRound: Promise<void> | undefined;

  constructor(leader: Stored) {
    this.#leader = leader;
  }

  /**
   * Resolves when everything stored by now is folded. Does not wait for what is purged in the meantime.
   *
   * The stream's leader says what is stored: a replica may not yet have what was acknowledged to a caller. Calls share a round, but only
   * one that has not begun: an earlier one may have asked too early. Fails: StoreUnavailable
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
    const { store } = this.#leader;
    if (await isWithin(briefly, this.#leader.reached(await store.lastSeq()))) return;
    for (;;) {
      const newest = await store.newestSeq(); // the last ones may have been purged
      if (await isWithin(lookAgainMs, this.#leader.reached(newest))) return;
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
