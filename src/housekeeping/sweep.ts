// A sweep: finds signals and journals that a crash has left behind.
import { taskOf } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import { cursorOf } from "../fold/flow.ts";
import type { Fold } from "../fold/fold.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { House } from "./house.ts";
import type { OldJournal } from "./old-journals.ts";

/** The run is forgotten, so nobody will read its journal. */
export function dropJournal({ fold, journals, step }: House, run: FinishedRun): void {
  if (isOfDurable(fold, run.key)) journals.add(run, step);
}

/** Whether the run of a key is durable, as far as workers have declared its task. */
export function isOfDurable({ tasks }: Fold, key: string): boolean {
  const queue = tasks.get(taskOf(key))?.attached as TaskQueue | undefined;
  return queue?.definition?.durable !== undefined;
}

/** Signals and journals that a sweep has found, in parts. */
export interface SweptEvent {
  readonly type: "swept";
  readonly signals: readonly { readonly key: string; readonly name: string }[];
  readonly journals: readonly OldJournal[];
}

/** Removes what nobody needs. Not while a part of the log was skipped: a run that this leader has not read may be live. */
export function swept({ fold, step, journals, spentSignals }: House, event: SweptEvent): void {
  if (!fold.isWhole) {
    journals.sweepAgain(step);
    return;
  }
  for (const { key, name } of event.signals) {
    const run = fold.live.get(key);
    const upTo = run === undefined ? fold.position : cursorOf(run, name);
    if (run === undefined || upTo > run.origin) spentSignals.add({ key, name, upTo });
  }
  for (const journal of event.journals) {
    const { key, origin } = journal;
    const isKnown = fold.live.get(key)?.origin === origin || fold.finished.get(key)?.origin === origin;
    if (!isKnown && origin <= fold.position) journals.add(journal, step);
  }
}
