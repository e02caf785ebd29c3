// fold/: what the log says. A function of its entries, the same on every engine, without workers, queues or a clock.
// Imports wire and domain, and nothing from the rooms above it, which learn of changes through a FoldListener.
import { KeyHash } from "../collections/hash.ts";
import { KeyIndex } from "../collections/key-index.ts";
import { Families } from "./families.ts";
import type { FinishedRun, RememberedOutcome } from "./finished-run.ts";
import { Inputs } from "./inputs.ts";
import type { FoldListener } from "./listener.ts";
import type { LiveRun } from "./live-run.ts";
import { LoggedTask } from "./logged-task.ts";
import type { PendingSignal } from "./parked-run.ts";

/** Written by the functions of this room; the places of entries also by housekeeping, which knows what it has purged. */
export class Fold {
  /** Sequence of the last entry folded. */
  position = 0;
  /** Where outcomes began when last asked, and the first sequence after that which was skipped since. */
  outcomesFrom = 0;
  skippedFrom = Number.POSITIVE_INFINITY;
  /** Everything that the server stored before this moment is folded, as far as the log shows. Units: epoch milliseconds */
  heardAt = 0;
  /** Skipped spans of sequences; and their number when the end of the log was last reached without a new one. */
  gaps = 0;
  gapsWhenWhole = -1;
  readonly live: KeyIndex<LiveRun>;
  /** In the order of their outcomes, but for those in `unordered`. */
  readonly finished: KeyIndex<FinishedRun>;
  readonly unordered = new Set<FinishedRun>();
  /** Outcomes of keys that are neither live nor finished (rule 3). */
  readonly unexplained = new Map<string, RememberedOutcome[]>();
  /** Keys with outcomes besides an accepted final one, which a purge of outcomes must check. */
  readonly entangled = new Set<string>();
  /** Entries of forgotten keys that arrived too late to be removed before the retention mark. */
  readonly leftovers = new Map<string, number>();
  /** Runs whose entry another one has replaced, which is not theirs, and where that is: nobody who keeps to the rules stores one. */
  readonly displaced = new Map<string, number>();
  /** Signals that no journal is known to have taken, by the key of their run. */
  readonly signals = new Map<string, PendingSignal[]>();
  readonly families = new Families();
  /** Finished children whose entry holds their result, because somebody waits for it: no mark forgets them. */
  readonly pinned = new Set<string>();
  lastMark: { readonly writer: string; readonly upTo: number } | undefined = undefined;
  readonly tasks = new Map<string, LoggedTask>();
  readonly inputs: Inputs;
  /** Undefined on a standby. */
  listener: FoldListener | undefined = undefined;

  #lastInbox = "";
  readonly #writers = new Map<string, string>();

  /** `hashSeed`: random per engine, so that nobody can choose ids that collide in its tables. Units: bytes */
  constructor(inputBudgetBytes: number, hashSeed = 0) {
    const hash = new KeyHash(hashSeed);
    this.live = new KeyIndex(false, hash);
    this.finished = new KeyIndex(true, hash);
    this.inputs = new Inputs(inputBudgetBytes);
  }
  /** Whether nothing was moved before it could be read; otherwise, an unknown key proves nothing. */
  get isWhole(): boolean {
    return this.gaps === this.gapsWhenWhole;
  }
  logOf(task: string): LoggedTask {
    let log = this.tasks.get(task);
    if (log === undefined) {
      log = new LoggedTask(task);
      this.tasks.set(task, log);
    }
    return log;
  }
  /** Advances in the log. A missing sequence was purged or replaced; whether that was before it could be read turns out later. */
  advance(seq: number, at: number): void {
    if (seq > this.position + 1) {
      this.gaps++;
      if (seq > this.outcomesFrom)
        this.skippedFrom = Math.min(this.skippedFrom, Math.max(this.position + 1, this.outcomesFrom));
    }
    this.position = seq;
    if (at > this.heardAt) this.heardAt = at;
  }
  /** One string for the id of a worker, however many runs it has parked. */
  writerOnce(writer: string): string {
    const known = this.#writers.get(writer);
    if (known !== undefined) return known;
    if (this.#writers.size > 10_000) this.#writers.clear();
    this.#writers.set(writer, writer);
    return writer;
  }
  /** One string for the same text, however many runs name it. */
  inboxOnce(inbox: string): string {
    if (inbox !== this.#lastInbox) this.#lastInbox = inbox;
    return this.#lastInbox;
  }
}
