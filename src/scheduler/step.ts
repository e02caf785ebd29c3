// The step: the way into the scheduler, for every event.
import { noteFloor, reachEnd } from "../fold/floor.ts";
import { foldEvent } from "../fold/fold-event.ts";
import type { Command } from "../matching/commands.ts";
import { storeReservations } from "../matching/limits/rates.ts";
import type { SchedulerEvent } from "./events.ts";
import { hear } from "./hear.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * The whole scheduler: takes an event, updates its state, returns commands.
 *
 * Deterministic: the same events at the same times give the same commands. Runs are dispatched by `tick` only, so the engine
 * gives a tick after each burst of events, and at the time that the latest `wake` command named.
 *
 * Units: `now` epoch milliseconds, UTC; it may jump
 */
export function step(scheduler: Scheduler, event: SchedulerEvent, now: number): Command[] {
  scheduler.step.begin(now);
  handle(scheduler, event);
  // A leader that reads late no longer leads. Others could make it begin anew at any time.
  const { fold } = scheduler;
  if (fold.isTorn && scheduler.leadership === undefined) {
    fold.isTorn = false;
    scheduler.step.commands.push({ type: "rebuild", outcomesFrom: fold.outcomesFrom });
  }
  const matching = scheduler.leadership?.matching;
  if (matching !== undefined && matching.reservations.size > 0) storeReservations(matching);
  return scheduler.step.end();
}

function handle(scheduler: Scheduler, event: SchedulerEvent): void {
  const { fold, faults } = scheduler;
  if (faults.entries.size > 0 && "seq" in event && faults.entries.has(event.seq)) return;
  switch (event.type) {
    case "entry":
    case "bundle":
    case "outcomes":
    case "signal":
    case "unreadable":
      if (event.type === "entry" || event.type === "bundle")
        scheduler.leadership?.matching.pace.note(event.at, scheduler.step.now);
      foldEvent(fold, event);
      return;
    case "heard":
      reachEnd(fold, event);
      break;
    case "floor":
      if (!noteFloor(fold, event.outcomesFrom))
        scheduler.step.commands.push({ type: "rebuild", outcomesFrom: event.outcomesFrom });
      return;
    case "lead":
      scheduler.lead(event);
      return;
    case "stepDown":
      scheduler.stepDown();
      return;
    case "briefed":
      scheduler.brief(event.briefing);
      return;
    case "pauses":
      scheduler.brief({ pauses: event.pauses });
      break;
  }
  if (scheduler.leadership !== undefined) hear(scheduler.leadership, event);
}
