// Handlers of runs that finally failed: each failed run gets one run of its task's handler, whichever engine leads when it fails.
import { type FailureHandler, handlerRunId } from "../domain/failure.ts";
import { keyOf, splitKey } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { SchedulerState } from "../matching/state.ts";

/** As they are stored; given before `lead`. */
export function restoreFailureHandlers(state: SchedulerState, handlers: readonly FailureHandler[]): void {
  state.failureHandlers = new Map(handlers.map((one) => [one.task, one]));
}

/** What the newest registration of a task says. Failures of before it are nobody's. */
export function declareFailureHandler(state: SchedulerState, task: string, handler: string | undefined): void {
  const known = state.failureHandlers.get(task);
  if (known?.handler === handler) return;
  if (handler === undefined) {
    state.failureHandlers.delete(task);
    state.commands.push({ type: "storeFailureHandler", task, handler: undefined });
    return;
  }
  const declared = { task, handler, from: state.position };
  state.failureHandlers.set(task, declared);
  state.commands.push({ type: "storeFailureHandler", task, handler: declared });
}

/** A run has failed for good. */
export function handleFailure(state: SchedulerState, run: FinishedRun): void {
  const known = state.failureHandlers.get(run.task);
  if (known === undefined || run.seq <= known.from) return;
  const { key, seq, index } = run;
  state.commands.push({ type: "createFailureRun", handler: known.handler, key, seq, index });
}

/** A leader before this one may have died between a failure and the run of its handler. */
export function handleMissedFailures(state: SchedulerState): void {
  if (state.failureHandlers.size === 0) return;
  for (const run of state.finished.values()) {
    if (run.kind !== "failed") continue;
    const known = state.failureHandlers.get(run.task);
    if (known === undefined) continue;
    if (!isHandled(state, known.handler, run)) handleFailure(state, run);
  }
}

function isHandled({ live, finished }: SchedulerState, handler: string, { task, key }: FinishedRun): boolean {
  const { id } = splitKey(key);
  const handling = keyOf(handler, handlerRunId(task, id));
  if (live.has(handling) || finished.has(handling)) return true;
  const before = keyOf(handler, id); // how earlier releases named it
  return (live.get(before) ?? finished.get(before))?.metadata?.["natchet.failed"] === key;
}
