// Waiters: clients that have asked for results which the log has not told them.
import { type FinishedRun, resultPlaceOf } from "../fold/finished-run.ts";
import type { Fold } from "../fold/fold.ts";
import type { Step } from "../matching/step.ts";

/** Of one run. */
const mostInboxes = 1_000;

/** Who has asked for results. Only a leader answers, once it has folded the outcome and so the outcome is stored. */
export class Waiters {
  readonly #fold: Fold;
  readonly #step: Step;
  /** By key. */
  readonly #inboxes = new Map<string, Set<string>>();

  constructor(fold: Fold, step: Step) {
    this.#fold = fold;
    this.#step = step;
  }
  /** Somebody asks for a result: remembered while the run is live, answered at once if it is known. Who asks for a run that nobody knows is told so in the answer. */
  add(key: string, inbox: string): void {
    const finished = this.#fold.finished.get(key);
    if (finished !== undefined) this.forward(finished, inbox);
    else if (this.#fold.live.has(key)) {
      const inboxes = this.#inboxes.get(key);
      if (inboxes === undefined) this.#inboxes.set(key, new Set([inbox]));
      else if (inboxes.size < mostInboxes) inboxes.add(inbox); // the others ask again
    }
  }
  /** Answers the creator, at `inbox`, and all who asked. */
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
