// Unhandled errors of user code: logged with their run, counted, and not the end of the process.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { ErrorRecord } from "../domain/error-record.ts";
import type { Log } from "../domain/log.ts";
import { errorRecordOf } from "../domain/thrown.ts";
import { onUnhandledError } from "../runtime/process.ts";
import { surroundingRun } from "../worker/context.ts";
import type { RunningWorker } from "../worker/running-worker.ts";
import { shorten } from "../worker/short-error.ts";
import type { OnUnhandled } from "./settings.ts";

export interface UnhandledParts {
  readonly log: Log;
  readonly policy: OnUnhandled;
  /** Whether natchet handles errors that belong to no known run. */
  readonly ownsProcess: boolean;
  readonly count: () => void;
  /** Drains, then ends the process. */
  readonly exit: () => void;
}

const message = "an error that no code handled";

export class Unhandled {
  readonly #parts: UnhandledParts;
  readonly #workers = new Map<string, RunningWorker>();

  constructor(parts: UnhandledParts) {
    this.#parts = parts;
  }

  add(worker: RunningWorker): void {
    this.#workers.set(worker.id, worker);
  }

  /**
   * Whether natchet handles the error. Runtimes do not say for every error which run it is from (Bun: rejections, Deno: timers). While runs
   * execute, an error without a run is therefore taken for one of theirs.
   */
  takes(): boolean {
    const run = surroundingRun();
    if (run !== undefined) return this.#workers.has(run.worker);
    return this.#parts.ownsProcess || this.#isExecuting;
  }

  handle(error: unknown): void {
    const run = surroundingRun();
    const record = shorten(errorRecordOf(error));
    // The log of a run that is still executing is also stored.
    if (run !== undefined) run.log.error(message, { error: record });
    else this.#parts.log.error(message, { error: record });
    this.#conclude();
  }

  /** Logs and counts an error that a thread reports. */
  tell(error: ErrorRecord, run: string | undefined): void {
    this.#parts.log.error(message, { run, error });
    this.#conclude();
  }

  #conclude(): void {
    const { count, policy, exit } = this.#parts;
    count();
    if (policy === "exit") exit();
  }

  get #isExecuting(): boolean {
    for (const { busy } of this.#workers.values()) if (busy > 0) return true;
    return false;
  }
}

/** Listens for unhandled errors while the scope is open. */
export const hearUnhandled = (parts: UnhandledParts): Effect.Effect<Unhandled, never, Scope.Scope> =>
  Effect.gen(function* () {
    const unhandled = new Unhandled(parts);
    const listen = Effect.sync(() =>
      onUnhandledError({ takes: () => unhandled.takes(), handle: (error) => unhandled.handle(error) }),
    );
    yield* Effect.acquireRelease(listen, (stop) => Effect.sync(stop));
    return unhandled;
  });
