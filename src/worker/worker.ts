// worker/: accept, execute, report, drain.
// A worker from its registration to its last outcome, as one scope: what it opens, it closes, newest first.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { WorkerNotStarted } from "../domain/errors.ts";
import { listed } from "../domain/names.ts";
import type { WorkerDefinition } from "../domain/worker.ts";
import { keepServerTime } from "../nats/server-time.ts";
import { LiveWorker } from "./live-worker.ts";
import { ownCode } from "./own-code.ts";
import type { RunningWorker, WorkerSettings } from "./running-worker.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** Starts a worker in this scope; closing it drains: go quiet, finish, give back the rest, leave. */
export const makeWorker = (
  definition: WorkerDefinition,
  parts: WorkerParts,
  options: WorkerSettings = {},
): Effect.Effect<RunningWorker, WorkerNotStarted, Scope.Scope> =>
  Effect.gen(function* () {
    const { link, subjects, log } = parts;
    yield* Effect.promise(() => keepServerTime(link, subjects.stream, log));
    const worker = new LiveWorker(definition, parts, options);
    yield* ownCode(definition, log);
    yield* worker.open;
    void worker.registered.then(() => log.info(introductionOf(definition), { id: worker.id }));
    return worker;
  });

/** `worker mail: 5 slots, tasks send-email, nightly (cron 0 3 * * *)` */
function introductionOf({ name, slots, tasks }: WorkerDefinition): string {
  const names = tasks.map((task) =>
    task.crons?.length ? `${task.name} (cron ${task.crons.map((cron) => cron.expression).join(", ")})` : task.name,
  );
  return `worker ${name}: ${slots} ${slots === 1 ? "slot" : "slots"}, ${tasks.length === 1 ? "task" : "tasks"} ${listed(names)}`;
}
