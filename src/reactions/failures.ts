// reactions/: runs that a leader creates because of the log. Imports the fold, and of matching only how commands are said.
// Handlers of runs that finally failed: each failed run gets one run of its task's handler, whichever engine leads when it fails.
import { type FailureHandler, handlerRunId } from "../domain/failure.ts";
import { keyOf, splitKey } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { Fold } from "../fold/fold.ts";
import type { Step } from "../matching/step.ts";

/** Made when this engine begins to lead, and thrown away when it ceases to. */
export class FailureHandlers {
  readonly #fold: Fold;
  readonly #step: Step;
  /** By the task whose failures they handle. */
  readonly #handlers: Map<string, FailureHandler>;

  /** `stored` are those that stand beside the log. */
  constructor(fold: Fold, step: Step, stored: readonly FailureHandler[]) {
    this.#fold = fold;
    this.#step = step;
    this.#handlers = new Map(stored.map((one) => [one.task, one]));
  }
  get(task: string): FailureHandler | undefined {
    return this.#handlers.get(task);
  }
  /** What the newest registration of a task says. Failures of before it are nobody's. */
  declare(task: string, handler: string | undefined): void {
    const known = this.#handlers.get(task);
    if (known?.handler === handler) return;
    if (handler === undefined) {
      this.#handlers.delete(task);
      this.#step.commands.push({ type: "storeFailureHandler", task, handler: undefined });
      return;
    }
    const declared = { task, handler, from: this.#fold.position };
    this.#handlers.set(task, declared);
    this.#step.commands.push({ type: "storeFailureHandler", task, handler: declared });
  }
  /** A run has failed for good. */
  handle(run: FinishedRun): void {
    const known = this.#handlers.get(run.task);
    if (known === undefined || run.seq <= known.from) return;
    const { key, seq, index } = run;
    this.#step.commands.push({ type: "createFailureRun", handler: known.handler, key, seq, index });
  }
  /** A leader before this one may have died between a failure and the run of its handler. */
  handleMissed(): void {
    if (this.#handlers.size === 0) return;
    for (const run of this.#fold.finished.values()) {
      if (run.kind !== "failed") continue;
      const known = this.#handlers.get(run.task);
      if (known !== undefined && !this.#isHandled(known.handler, run)) this.handle(run);
    }
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
