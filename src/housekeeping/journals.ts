// Journals of durable runs are removed as a whole: a while after their runs are forgotten, or when leftovers of a crash are found.

import { taskOf } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import { cursorOf } from "../fold/flow.ts";
import type { Fold } from "../fold/fold.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { House } from "./house.ts";
import type { OldJournal } from "./retention-state.ts";
import { noteSpent } from "./spent-signals.ts";

/** By then everybody who might append or assign knows that the run is over. Units: milliseconds */
const purgeAfterMs = 60_000;
const sweepEveryMs = 3_600_000;
const purgesAtOnce = 200;

/** The run is forgotten: nobody will read its journal. */
export function noteForgotten(house: House, { key, origin }: FinishedRun): void {
  if (!isOfDurable(house.fold, key)) return;
  house.forgottenJournals.push({ key, origin, at: house.step.uptime + purgeAfterMs });
}

/** As far as a worker has declared its task. */
export function isOfDurable({ tasks }: Fold, key: string): boolean {
  const queue = tasks.get(taskOf(key))?.attached as TaskQueue | undefined;
  return queue?.definition?.durable !== undefined;
}

/** If a purge fails or a leader dies, the next sweep finds the journal. */
export function purgeJournals(house: House): void {
  const { forgottenJournals, step } = house;
  for (let i = 0; i < purgesAtOnce; i++) {
    const first = forgottenJournals.first();
    if (first === undefined || first.at > step.uptime) break;
    forgottenJournals.shift();
    const { key, origin } = first;
    step.commands.push({ type: "purgeJournal", key, origin });
  }
  if (step.uptime < house.nextSweepAt) return;
  house.nextSweepAt = step.uptime + sweepEveryMs;
  step.commands.push({ type: "sweep" });
}

/** Stored signals and journals, as far as requested. */
export interface SweptEvent {
  readonly type: "swept";
  readonly signals: readonly { readonly key: string; readonly name: string }[];
  readonly journals: readonly OldJournal[];
}

/** Removes what nobody needs. A run that this leader has not read yet may be live although it is not here. */
export function swept(house: House, { signals, journals }: SweptEvent): void {
  const { fold } = house;
  if (!fold.isWhole) {
    house.nextSweepAt = house.step.uptime + purgeAfterMs;
    return;
  }
  for (const { key, name } of signals) {
    const run = fold.live.get(key);
    const upTo = run === undefined ? fold.position : cursorOf(run, name);
    if (run === undefined || upTo > run.origin) noteSpent(house, { key, name, upTo });
  }
  for (const { key, origin } of journals) {
    const isKnown = fold.live.get(key)?.origin === origin || fold.finished.get(key)?.origin === origin;
    if (isKnown || origin > fold.position) continue;
    house.forgottenJournals.push({ key, origin, at: house.step.uptime + purgeAfterMs });
  }
}
