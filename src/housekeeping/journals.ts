// Journals of durable runs go as a whole: a while after their runs are forgotten, and what a crash left behind when it is found.

import type { FinishedRun } from "../fold/finished-run.ts";
import { cursorOf } from "../fold/flow.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { House } from "./house.ts";
import type { OldJournal } from "./retention-state.ts";
import { noteSpent } from "./spent-signals.ts";

/** By then nobody appends who has not heard that the run is over, and no leader assigns it that has not read so far. Units: milliseconds */
const purgeAfterMs = 60_000;
const sweepEveryMs = 3_600_000;
const purgesAtOnce = 200;

/** The run is forgotten: nobody will read its journal. */
export function noteForgotten(house: House, { key, task, origin }: FinishedRun): void {
  const queue = house.fold.tasks.get(task)?.attached as TaskQueue | undefined;
  if (queue?.definition?.durable === undefined) return;
  house.forgottenJournals.push({ key, origin, at: house.step.uptime + purgeAfterMs });
}

/** One purge that fails, or a leader that dies, leaves a journal to the next sweep. */
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

/** Signals and journals that are stored, as far as they were asked for. */
export interface SweptEvent {
  readonly type: "swept";
  readonly signals: readonly { readonly key: string; readonly name: string }[];
  readonly journals: readonly OldJournal[];
}

/** What is of use to nobody goes. A run that this leader has not read yet is not live here, and may be. */
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
