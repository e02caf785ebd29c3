// What a leader does on each event, as a table.
import type { LogEvent } from "../fold/log-events.ts";
import { compactionRefused, purged } from "../housekeeping/answers.ts";
import { restoreDisplaced } from "../housekeeping/displaced.ts";
import { coverRuns, endErasure, eraseRuns } from "../housekeeping/erasure.ts";
import { keepHouse } from "../housekeeping/keep-house.ts";
import { swept } from "../housekeeping/sweep.ts";
import { cancelRuns, endCancelling } from "../matching/cancel.ts";
import { dispatch } from "../matching/dispatch.ts";
import { endAllUnwanted } from "../matching/durable/children.ts";
import { endOverdueFlows } from "../matching/durable/overdue-flows.ts";
import { askForEnd, endReached, nextWake, wakeSleepers } from "../matching/durable/wake.ts";
import { confirmReservations, nextRateWake, tidyRates, wakeRates } from "../matching/limits/rates.ts";
import type { Matching } from "../matching/matching.ts";
import { letGoOfEnded } from "../matching/release.ts";
import { endStopped } from "../matching/unseen/lingering.ts";
import { endUnheard } from "../matching/unseen/unheard.ts";
import { nextDeadline, queueDueRuns } from "../matching/waiting/due-times.ts";
import { rescheduleRuns } from "../matching/waiting/reschedule.ts";
import { expireWaitingRuns } from "../matching/waiting/schedule-timeouts.ts";
import { acknowledge, giveUpBatch } from "../presence/assigned.ts";
import { giveUpRun } from "../presence/lose.ts";
import { heartbeat, leave, pong, unreachable, watchPresence } from "../presence/presence.ts";
import { register } from "../presence/register.ts";
import type { SchedulerEvent } from "./events.ts";
import type { Leadership } from "./leadership.ts";

/** Events for a leader; a standby ignores them. */
export type LeaderEvent = Exclude<
  SchedulerEvent,
  LogEvent | { readonly type: "floor" | "lead" | "stepDown" | "briefed" }
>;

const hears: { readonly [E in LeaderEvent as E["type"]]: (leadership: Leadership, event: E) => void } = {
  tick: (leadership, { livesSince }) => tick(leadership, livesSince),

  register({ matching, failures }, { message }) {
    register(matching, message);
    for (const { name, onFailure } of message.tasks) failures.declare(name, onFailure);
  },
  heartbeat: ({ matching }, { message }) => heartbeat(matching, message),
  leave: ({ matching }, { id }) => leave(matching, id),
  pong: ({ matching }, { id }) => pong(matching, id),
  unreachable: ({ matching }, { id, isDead }) => unreachable(matching, id, isDead),
  assigned: ({ matching }, event) => acknowledge(matching, event),
  unacknowledged: ({ matching }, { id, batch }) => giveUpBatch(matching, id, batch),
  ended: ({ matching }, { id, attempts }) => letGoOfEnded(matching, id, attempts),

  cancel: ({ matching }, { keys, reason, kill }) => cancelRuns(matching, keys, reason, "caller", kill),
  reschedule: ({ matching }, { keys, dueAt }) => rescheduleRuns(matching, keys, dueAt),
  pauses: ({ matching }, { pauses }) => matching.pause(pauses),
  waiter: ({ waiters }, { key, inbox }) => waiters.add(key, inbox),
  cover: ({ house }, { keys }) => coverRuns(house, keys),
  erase: ({ house }, { keys }) => eraseRuns(house, keys),
  erased: ({ house }, { keys, upTo }) => endErasure(house, keys, upTo),

  heard({ matching }) {
    endReached(matching);
    if (matching.fold.isWhole) endAllUnwanted(matching);
  },
  swept: ({ house }, event) => swept(house, event),
  purged: ({ house }, { filter, keepFrom }) => purged(house, filter, keepFrom),
  compactionRefused: ({ house }, event) => compactionRefused(house, event),
  ratesStored: ({ matching }, { rates }) => confirmReservations(matching, rates),
  input({ matching }, { run, input }) {
    matching.step.about = run;
    matching.queues.get(run.task)?.policies?.onInput(run, input);
  },
  inputGone: ({ matching }, { run }) => giveUpRun(matching, run),
  reacted: ({ reactions }, { n }) => reactions.reacted(n),
  handledStored: ({ failures }, { upTo }) => failures.handledStored(upTo),
  cronWritten: ({ crons }, event) => crons.written(event),
  cronChanged: ({ crons }, { name, there }) => crons.changed(name, there),
};

export function hear(leadership: Leadership, event: LeaderEvent): void {
  const heard = hears[event.type] as (leadership: Leadership, event: LeaderEvent) => void;
  heard(leadership, event);
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
    if (house.fold.displaced.size > 0) restoreDisplaced(house);
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

/** Time in which this leader was suspended or disconnected does not count as waiting: it could not start anything. */
function skipNap(matching: Matching): void {
  const { tickedAt, queueIndex, step } = matching;
  if (step.now - tickedAt > step.pace.longestNapMs) queueIndex.counted.skip(tickedAt, step.now);
  matching.tickedAt = step.now;
}
