// Failure handlers: each run that failed for good gets one run of its task's handler, whichever engine leads when it fails.
import { type FailureHandler, handlerRunId } from "../domain/failure.ts";
import type { FailureCause } from "../domain/reaction.ts";
import { keyOf, splitKey } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { Fold } from "../fold/fold.ts";
import type { Step } from "../matching/step.ts";
import type { ReactionSource, Reactions } from "./reactions.ts";

/** What the bucket has about failures. `upTo`: failures up to this sequence are handled, whether or not their handlers' runs are still known. */
export interface StoredFailures {
  readonly handlers: readonly FailureHandler[];
  readonly upTo: number;
}

/** Created when this engine begins to lead, discarded when it stops. */
export class Failures implements ReactionSource {
  readonly #fold: Fold;
  readonly #step: Step;
  readonly #reactions: Reactions;
  /** By the task whose failures they handle. */
  readonly #handlers: Map<string, FailureHandler>;
  /** Failures whose handlers' runs are not stored yet, in the order of the log. */
  readonly #open = new Set<FailureCause>();
  #storedUpTo: number;
  /** The sequence to which the cursor is being moved. */
  #storing = 0;

  constructor(fold: Fold, step: Step, reactions: Reactions, { handlers, upTo }: StoredFailures) {
    this.#fold = fold;
    this.#step = step;
    this.#reactions = reactions;
    this.#handlers = new Map(handlers.map((one) => [one.task, one]));
    this.#storedUpTo = upTo;
  }
  get(task: string): FailureHandler | undefined {
    return this.#handlers.get(task);
  }
  /** A task's newest registration names this handler. Earlier failures are not handled. */
  declare(task: string, handler: string | undefined): void {
    const known = this.#handlers.get(task);
    if (known?.handler === handler) return;
    const declared = handler === undefined ? undefined : { task, handler, from: this.#fold.position };
    if (declared === undefined) this.#handlers.delete(task);
    else this.#handlers.set(task, declared);
    this.#step.commands.push({ type: "storeFailureHandler", task, handler: declared });
  }
  /** A run has failed for good. */
  failed(run: FinishedRun): void {
    const known = this.#handlers.get(run.task);
    if (known === undefined || run.seq <= known.from) return;
    const { key, seq, index } = run;
    const id = handlerRunId(run.task, splitKey(key).id);
    const cause: FailureCause = { type: "failure", key, seq, index };
    this.#open.add(cause);
    this.#reactions.owe({ task: known.handler, id, cause }, () => this.#open.delete(cause));
  }
  /** Owes what earlier leaders have left: one may have died between a failure and the run of its handler. */
  makeUp(): void {
    if (this.#handlers.size === 0) return;
    const missed: FinishedRun[] = [];
    for (const run of this.#fold.finished.values()) {
      if (run.kind !== "failed" || run.isErased || run.seq <= this.#storedUpTo) continue;
      const known = this.#handlers.get(run.task);
      if (known !== undefined && !this.#isHandled(known.handler, run)) missed.push(run);
    }
    for (const run of missed.sort((a, b) => a.seq - b.seq)) this.failed(run);
  }
  /**
   * Whether retention may forget the log up to `upTo`. A failure must be known until the run of its handler is stored, and that run until the
   * cursor has passed the failure. So the cursor is stored first, once for all that is forgotten together.
   */
  mayForget(upTo: number): boolean {
    if (upTo <= this.#storedUpTo || (this.#handlers.size === 0 && this.#open.size === 0)) return true;
    const handled = this.#handledUpTo;
    if (handled >= upTo && handled > this.#storing) {
      this.#storing = handled;
      this.#step.commands.push({ type: "storeHandled", upTo: handled });
    }
    return false;
  }
  handledStored(upTo: number): void {
    this.#storedUpTo = Math.max(this.#storedUpTo, upTo);
  }
  get #handledUpTo(): number {
    const [first] = this.#open;
    return first === undefined ? this.#fold.position : first.seq - 1;
  }
  #isHandled(handler: string, { task, key }: FinishedRun): boolean {
    const { live, finished } = this.#fold;
    const { id } = splitKey(key);
    const handling = keyOf(handler, handlerRunId(task, id));
    if (live.has(handling) || finished.has(handling)) return true;
    const before = keyOf(handler, id); // how earlier releases named it
    return (live.get(before) ?? finished.get(before))?.metadata?.["natchet.failed"] === key;
  }
}
