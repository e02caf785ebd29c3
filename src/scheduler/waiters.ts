// Waiters: clients that wait for the result of a run, each named by the inbox where it wants the answer.
import { type FinishedRun, resultPlaceOf } from "../fold/finished-run.ts";
import type { Fold } from "../fold/fold.ts";
import type { Step } from "../matching/step.ts";

/** Most inboxes that wait for one run. */
const mostInboxes = 1_000;

/** Only a leader answers, and only once it has folded the outcome: then the outcome is stored. */
export class Waiters {
  readonly #fold: Fold;
  readonly #step: Step;
  /** The inboxes that wait for a run, by its key. */
  readonly #inboxes = new Map<string, Set<string>>();

  constructor(fold: Fold, step: Step) {
    this.#fold = fold;
    this.#step = step;
  }
  /** A client asks for a result: answered at once if the run has finished, noted if it is live. Requests for unknown runs never get here. */
  add(key: string, inbox: string): void {
    const finished = this.#fold.finished.get(key);
    if (finished !== undefined) this.forward(finished, inbox);
    else if (this.#fold.live.has(key)) {
      const inboxes = this.#inboxes.get(key);
      if (inboxes === undefined) this.#inboxes.set(key, new Set([inbox]));
      else if (inboxes.size < mostInboxes) inboxes.add(inbox); // the others ask again
    }
  }
  /** Sends the result to the creator, at `inbox`, and to everybody who asked. */
  tell(run: FinishedRun, inbox: string): void {
    if (inbox !== "") this.forward(run, inbox);
    if (this.#inboxes.size === 0) return;
    const inboxes = this.#inboxes.get(run.key);
    if (inboxes === undefined) return;
    this.#inboxes.delete(run.key);
    for (const other of inboxes) if (other !== inbox) this.forward(run, other);
  }
  forward(run: FinishedRun, inbox: string): void {
    this.#step.commands.push({ type: "forward", inbox, key: run.key, ...resultPlaceOf(this.#fold, run) });
  }
}
