import { RunNotFound } from "../domain/errors.ts";
import { keyOf, type RunInfo } from "../domain/run.ts";
import type { EngineRequests } from "./engine-requests.ts";
import type { Results } from "./results.ts";

/** What a handle needs of the client that made it. */
export interface HandleParts {
  readonly results: Results;
  readonly requests: EngineRequests;
  /** Checks and types the output; the caller's contract, if it has one. */
  readonly readOutput: (output: unknown) => unknown;
}

/** A run, wherever it is executed. */
export class RunHandle<Output = unknown> {
  readonly task: string;
  readonly id: string;
  /** False when the id existed already: this is the first run of that id. Undefined on a handle that was only looked up. */
  readonly created: boolean | undefined;
  readonly #parts: HandleParts;

  constructor(task: string, id: string, created: boolean | undefined, parts: HandleParts) {
    this.task = task;
    this.id = id;
    this.created = created;
    this.#parts = parts;
  }

  get key(): string {
    return keyOf(this.task, this.id);
  }

  /**
   * Waits for the output, as long as it takes.
   *
   * Fails: RunFailed, RunCancelled, RunNotFound, ResultNotAwaited when the client is closed
   */
  async result(): Promise<Output> {
    return this.#parts.readOutput(await this.#parts.results.wait(this.key, true)) as Output;
  }

  /** What is known of the run now. Fails: RunNotFound, EngineUnreachable */
  async status(): Promise<RunInfo> {
    const run = await this.#parts.requests.get(this.key);
    if (run === null) throw new RunNotFound({ key: this.key });
    return run;
  }

  /**
   * Cancels the run; a finished one stays as it is.
   *
   * Resolves when the cancellation is stored, or, for a running one, when its worker has aborted the signal.
   * Fails: RunNotFound, EngineUnreachable
   */
  async cancel(reason = "cancelled by a caller"): Promise<void> {
    const { unknown } = await this.#parts.requests.cancel({ runs: [this.key], reason });
    if (unknown.length > 0) throw new RunNotFound({ key: this.key });
  }
}
