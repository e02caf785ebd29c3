// fold/: what the log says. A function of its entries, the same on every engine, without workers, queues or a clock.
// The rooms above learn of changes through a FoldListener. The rules by number are in docs/internals/internals.md.

import { Deque } from "../collections/deque.ts";
import { KeyHash } from "../collections/hash.ts";
import { KeyIndex } from "../collections/key-index.ts";
import { Families } from "./families.ts";
import type { FinishedRun, RememberedOutcome } from "./finished-run.ts";
import { Inputs } from "./inputs.ts";
import type { FoldListener } from "./listener.ts";
import type { LiveRun } from "./live-run.ts";
import { LoggedTask } from "./logged-task.ts";
import type { PendingSignal } from "./parked-run.ts";

/** The state of the fold. Written by the functions of this room; where entries stand also by housekeeping, which knows what it has purged. */
export class Fold {
  /** Sequence of the last entry folded. */
  position = 0;
  /** The first outcome that was stored when the server was last asked, and the first sequence from there on that was skipped since. */
  outcomesFrom = 0;
  skippedFrom = Number.POSITIVE_INFINITY;
  /** Everything that the server stored before this moment is folded, as far as the log shows. Units: epoch milliseconds */
  heardAt = 0;
  /** How many spans of sequences were skipped; and how many there were when the end of the log was last reached without a new one. */
  gaps = 0;
  gapsWhenWhole = -1;
  /** An outcome that was skipped is missing: an engine that does not lead reads the log again. */
  isTorn = false;
  readonly live: KeyIndex<LiveRun>;
  /** In the order of their outcomes, but for those in `unordered`. */
  readonly finished: KeyIndex<FinishedRun>;
  readonly unordered = new Set<FinishedRun>();
  /** Outcomes of keys that are neither live nor finished (rule 3). */
  readonly unexplained = new Map<string, RememberedOutcome[]>();
  /** Keys of finished runs with outcomes besides the accepted one, which a purge of outcomes must check. */
  readonly entangled = new Set<string>();
  /** Live runs with outcomes that their entries did not include at first; some are no longer live. */
  readonly entangledRuns = new Deque<LiveRun>();
  /** By the key of a forgotten run: an entry of it that came too late to be purged before the retention mark. */
  readonly leftovers = new Map<string, number>();
  /** By the key of a run: where an entry that is not its own was stored over it, which nobody does who keeps to the rules (ADR 54). */
  readonly displaced = new Map<string, number>();
  /** Signals that no journal is known to have taken, by the key of their run. */
  readonly signals = new Map<string, PendingSignal[]>();
  readonly families = new Families();
  /** Finished children whose entry holds their result, because somebody waits for it: no mark forgets them. */
  readonly pinned = new Set<string>();
  /** By the key of an erased run: the last place that says something of it, its stone or what came late. Gone again, unless a leader has died before. */
  readonly remains = new Map<string, number>();
  /** `seq`: where a retention mark stands, the newest or one that was moved. */
  lastMark: { readonly writer: string; readonly upTo: number; seq: number } | undefined = undefined;
  readonly tasks = new Map<string, LoggedTask>();
  readonly inputs: Inputs;
  /** Undefined on a standby. */
  listener: FoldListener | undefined = undefined;

  #lastInbox = "";
  readonly #texts = new Map<string, string>();

  /** `hashSeed`: random per engine, so that nobody can choose ids that collide in its tables. */
  constructor(inputBudgetBytes: number, hashSeed = 0) {
    const hash = new KeyHash(hashSeed);
    this.live = new KeyIndex(false, hash);
    this.finished = new KeyIndex(true, hash);
    this.inputs = new Inputs(inputBudgetBytes);
  }
  /** Whether nothing was moved or purged before it could be read. Otherwise, that a key is unknown proves nothing. */
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
  /** Notes an outcome that the run's entry does not include: it must not be purged before the entry does. */
  entangle(run: LiveRun, seq: number): void {
    if (!run.noteOutcome(seq)) return;
    const { entangledRuns, live } = this;
    if (entangledRuns.size > 2 * live.size + 4_096) entangledRuns.prune((other) => live.get(other.key) === other);
    entangledRuns.push(run);
  }
  /** One string for the id of a worker or the name of a signal, however many runs it has parked. */
  textOnce(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size > 10_000) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
  /** One string for an inbox that many runs in a row name. */
  inboxOnce(inbox: string): string {
    if (inbox !== this.#lastInbox) this.#lastInbox = inbox;
    return this.#lastInbox;
  }
}
