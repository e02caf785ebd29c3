import { checkFloor } from "../fold/floor.ts";
import { foldBundle, foldEntry, foldOutcomes } from "../fold/fold.ts";
import { compactionRefused } from "../housekeeping/compaction.ts";
import { keepHouse, purged } from "../housekeeping/retention.ts";
import { cancelRuns, endCancelling } from "../matching/cancel.ts";
import type { Command } from "../matching/commands.ts";
import { dispatch } from "../matching/dispatch.ts";
import { expireWaitingRuns, nextDeadline, queueDueRuns } from "../matching/due-times.ts";
import type { SchedulerEvent } from "../matching/events.ts";
import {
  confirmReservations,
  nextRateWake,
  restoreRates,
  storeReservations,
  tidyRates,
  wakeRates,
} from "../matching/limits/rates.ts";
import { endStopped } from "../matching/lingering.ts";
import { applyPauses } from "../matching/pauses.ts";
import { letGoOfEnded } from "../matching/release.ts";
import { rescheduleRuns } from "../matching/reschedule.ts";
import type { SchedulerState } from "../matching/state.ts";
import { acknowledge, giveUpBatch } from "../presence/assigned.ts";
import { giveUpRun } from "../presence/lose.ts";
import { heartbeat, leave, pong, unreachable, watchPresence } from "../presence/presence.ts";
import { register, restoreDefinitions } from "../presence/register.ts";
import { lead, stepDown } from "../presence/takeover.ts";
import { restoreFailureHandlers } from "../reactions/failures.ts";
import { addWaiter } from "./waiters.ts";

/** The longest that the scheduler's own clock believes to have slept. */
const longestNapMs = 3_000;
const tickEveryMs = 1_000;

/**
 * The whole scheduler: takes what happened, changes the state, says what to do.
 *
 * Deterministic: the same events at the same times give the same commands. Runs are dispatched by `tick` only, so the engine
 * gives a tick after each burst of events, and at the time that the last `wake` named.
 *
 * Units: `now` epoch milliseconds, UTC; it may jump
 */
export function step(state: SchedulerState, event: SchedulerEvent, now: number): Command[] {
  if (state.commands.length > 0) state.commands = [];
  state.uptime += Math.min(Math.max(now - state.now, 0), longestNapMs);
  state.now = now;
  handle(state, event);
  if (state.reservations.size > 0) storeReservations(state);
  if (state.outgoing.length > 0) {
    state.commands.push({ type: "append", outcomes: state.outgoing });
    state.outgoing = [];
  }
  return state.commands;
}

function handle(state: SchedulerState, event: SchedulerEvent): void {
  switch (event.type) {
    case "entry":
      foldEntry(state, event);
      break;
    case "bundle":
      foldBundle(state, event);
      break;
    case "outcomes":
      foldOutcomes(state, event);
      break;
    case "tick":
      tick(state);
      break;
    case "floor":
      checkFloor(state, event.outcomesFrom);
      break;
    case "pauses":
      applyPauses(state, event.pauses);
      break;
    case "definitions":
      restoreDefinitions(state, event.tasks);
      break;
    case "failureHandlers":
      restoreFailureHandlers(state, event.handlers);
      break;
    case "rates":
      restoreRates(state, event.rates);
      break;
    case "lead":
      lead(state, event);
      break;
    case "stepDown":
      stepDown(state);
      break;
    case "purged":
      purged(state, event.filter, event.keepFrom);
      break;
    case "compactionRefused":
      compactionRefused(state, event);
      break;
    default:
      if (state.isLeading) handleAsLeader(state, event);
  }
}

/** What only a leader is asked; a standby leaves it to the leader. */
function handleAsLeader(state: SchedulerState, event: SchedulerEvent): void {
  switch (event.type) {
    case "register":
      register(state, event.message);
      break;
    case "heartbeat":
      heartbeat(state, event.message);
      break;
    case "leave":
      leave(state, event.id);
      break;
    case "pong":
      pong(state, event.id);
      break;
    case "unreachable":
      unreachable(state, event.id);
      break;
    case "assigned":
      acknowledge(state, event);
      break;
    case "unacknowledged":
      giveUpBatch(state, event.id, event.batch);
      break;
    case "ended":
      letGoOfEnded(state, event.id, event.attempts);
      break;
    case "cancel":
      cancelRuns(state, event.keys, event.reason);
      break;
    case "reschedule":
      rescheduleRuns(state, event.keys, event.dueAt);
      break;
    case "ratesStored":
      confirmReservations(state, event.rates);
      break;
    case "input":
      event.run.queue.policies?.onInput(state, event.run, event.input);
      break;
    case "inputGone":
      giveUpRun(state, event.run);
      break;
    case "waiter":
      addWaiter(state, event.key, event.inbox);
      break;
  }
}

/** A leader that slept, or had no connection, could start nothing. */
function skipNap(state: SchedulerState): void {
  const { tickedAt, now, queueIndex } = state;
  if (now - tickedAt > longestNapMs) queueIndex.counted.skip(tickedAt, now);
  state.tickedAt = now;
}

function tick(state: SchedulerState): void {
  queueDueRuns(state);
  if (!state.isLeading) return;
  skipNap(state);
  watchPresence(state);
  if (state.cancelling.size > 0) endCancelling(state);
  if (state.lingering.size > 0) endStopped(state);
  const isNobodyLate = expireWaitingRuns(state);
  wakeRates(state);
  if (isNobodyLate) dispatch(state);
  tidyRates(state);
  keepHouse(state);
  state.commands.push({
    type: "wake",
    at: Math.min(
      state.now + tickEveryMs,
      nextRateWake(state),
      Math.max(nextDeadline(state) ?? Number.POSITIVE_INFINITY, state.now),
    ),
  });
}
