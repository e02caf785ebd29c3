import { compactionRefused } from "../housekeeping/compaction.ts";
import { coverRuns, eraseRuns } from "../housekeeping/erasure.ts";
import { swept } from "../housekeeping/journals.ts";
import { keepHouse, purged } from "../housekeeping/retention.ts";
import { cancelRuns, endCancelling } from "../matching/cancel.ts";
import { dispatch } from "../matching/dispatch.ts";
import { expireWaitingRuns, nextDeadline, queueDueRuns } from "../matching/due-times.ts";
import { endAllUnwanted } from "../matching/durable/children.ts";
import { endOverdueFlows } from "../matching/durable/overdue-flows.ts";
import { askForEnd, endReached, nextWake, wakeSleepers } from "../matching/durable/wake.ts";
import { confirmReservations, nextRateWake, tidyRates, wakeRates } from "../matching/limits/rates.ts";
import { endStopped } from "../matching/lingering.ts";
import type { Matching } from "../matching/matching.ts";
import { letGoOfEnded } from "../matching/release.ts";
import { rescheduleRuns } from "../matching/reschedule.ts";
import { endUnheard } from "../matching/unheard.ts";
import { acknowledge, giveUpBatch } from "../presence/assigned.ts";
import { giveUpRun } from "../presence/lose.ts";
import { heartbeat, leave, pong, unreachable, watchPresence } from "../presence/presence.ts";
import { register } from "../presence/register.ts";
import type { SchedulerEvent } from "./events.ts";
import type { Leadership } from "./leadership.ts";

/** Events for leaders only; a standby ignores them. */
export function hear(leadership: Leadership, event: SchedulerEvent): void {
  const { matching, house } = leadership;
  switch (event.type) {
    case "tick":
      tick(leadership, event.livesSince);
      break;
    case "register":
      register(matching, event.message);
      for (const { name, onFailure } of event.message.tasks) leadership.failures.declare(name, onFailure);
      break;
    case "heartbeat":
      heartbeat(matching, event.message);
      break;
    case "leave":
      leave(matching, event.id);
      break;
    case "pong":
      pong(matching, event.id);
      break;
    case "unreachable":
      unreachable(matching, event.id, event.isDead);
      break;
    case "assigned":
      acknowledge(matching, event);
      break;
    case "unacknowledged":
      giveUpBatch(matching, event.id, event.batch);
      break;
    case "ended":
      letGoOfEnded(matching, event.id, event.attempts);
      break;
    case "cancel":
      cancelRuns(matching, event.keys, event.reason, "caller", event.kill);
      break;
    case "cover":
      coverRuns(house, event.keys, event.upTo);
      break;
    case "erase":
      eraseRuns(house, event.keys);
      break;
    case "reschedule":
      rescheduleRuns(matching, event.keys, event.dueAt);
      break;
    case "swept":
      swept(house, event);
      break;
    case "heard":
      endReached(matching);
      if (matching.fold.isWhole) endAllUnwanted(matching);
      break;
    case "ratesStored":
      confirmReservations(matching, event.rates);
      break;
    case "input":
      matching.step.about = event.run;
      matching.queues.get(event.run.task)?.policies?.onInput(event.run, event.input);
      break;
    case "inputGone":
      giveUpRun(matching, event.run);
      break;
    case "waiter":
      leadership.waiters.add(event.key, event.inbox);
      break;
    case "reacted":
      leadership.reactions.reacted(event.n);
      break;
    case "handledStored":
      leadership.failures.handledStored(event.upTo);
      break;
    case "cronWritten":
      leadership.crons.written(event);
      break;
    case "cronChanged":
      leadership.crons.changed(event.name, event.there);
      break;
    case "pauses":
      matching.pause(event.pauses);
      break;
    case "purged":
      purged(house, event.filter, event.keepFrom);
      break;
    case "compactionRefused":
      compactionRefused(house, event);
      break;
  }
}

function tick({ matching, house, crons, faults }: Leadership, livesSince: number | undefined): void {
  queueDueRuns(matching);
  wakeSleepers(matching);
  endOverdueFlows(matching);
  skipNap(matching);
  watchPresence(matching);
  if (matching.cancelling.size > 0) endCancelling(matching);
  if (matching.lingering.size > 0) endStopped(matching);
  if (matching.unheard.size > 0) endUnheard(matching);
  const isNobodyLate = expireWaitingRuns(matching);
  wakeRates(matching);
  if (isNobodyLate) dispatch(matching);
  tidyRates(matching);
  if (!faults.isHouseAside) {
    matching.step.about = "housekeeping";
    keepHouse(house);
    matching.step.about = undefined;
  }
  askForEnd(matching);
  crons.look(livesSince);
  const { now, commands, pace } = matching.step;
  const deadline = nextDeadline(matching) ?? Number.POSITIVE_INFINITY;
  const woken = Math.max(nextWake(matching), now + 1);
  const wakes = Math.min(now + pace.tickEveryMs, nextRateWake(matching), crons.nextAt, Math.max(deadline, now), woken);
  commands.push({ type: "wake", at: wakes });
}

/** A leader that was suspended or disconnected could not start anything. */
function skipNap(matching: Matching): void {
  const { tickedAt, queueIndex, step } = matching;
  if (step.now - tickedAt > step.pace.longestNapMs) queueIndex.counted.skip(tickedAt, step.now);
  matching.tickedAt = step.now;
}
