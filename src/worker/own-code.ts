// The code with which a worker class opens and closes what is its own: `onStart` and `onStop`.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { WorkerNotStarted } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import type { WorkerDefinition } from "../domain/worker.ts";

/** `onStop` releases what `onStart` opened, also if that failed halfway. */
export const ownCode = (definition: WorkerDefinition, log: Log): Effect.Effect<void, WorkerNotStarted, Scope.Scope> => {
  const started = Effect.tryPromise({
    try: async () => definition.onStart?.(),
    catch: (cause) => new WorkerNotStarted({ worker: definition.name, cause }),
  });
  const stopped = Effect.promise(() => stop(definition, log));
  return Effect.acquireRelease(
    Effect.tapError(started, () => stopped),
    () => Effect.tap(stopped, () => Effect.sync(() => log.info(`worker ${definition.name} stopped`))),
  );
};

/** Never fails: a worker whose `onStop` fails is stopped all the same, and so are the others. */
async function stop(definition: WorkerDefinition, log: Log): Promise<void> {
  try {
    await definition.onStop?.();
  } catch (error) {
    log.error(`onStop of worker ${definition.name} failed`, { error });
  }
}
