// matching/waiting/: how long runs wait, why, and when they move by themselves.
// Why a run is not running: the most frequent question about a queue.

import type { Waiting } from "../../domain/run.ts";
import { shownTime } from "../../domain/time.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import { explainSleep } from "../durable/explain.ts";
import type { Matching } from "../matching.ts";
import { describeNeeds, suitability } from "../needs.ts";
import { isIsolated } from "../suspects/suspects.ts";
import { queueOf } from "../task-queue.ts";
import { isHolding, withheldUntil } from "../unseen/unheard.ts";
import type { WorkerRecord } from "../workers.ts";

/** Undefined for a run that is running, or about to end. */
export function explainWaiting(state: Matching, run: LiveRun): Waiting | undefined {
  if (placeOf(run) === "scheduled" || placeOf(run) === "retrying") {
    const due = shownTime(run.readyAt);
    return {
      for: "its due time",
      because: placeOf(run) === "retrying" ? `its next attempt is due at ${due}` : `due at ${due}`,
    };
  }
  if (state.faulty.has(run.task) && placeOf(run) === "gone")
    return {
      for: "resume",
      because: `task "${run.task}" is set aside after an engine fault; see the engine's log`,
    };
  if (placeOf(run) === "waiting") return explainSleep(state.fold, run);
  if (placeOf(run) !== "queued") return undefined;
  const { policies, ready } = queueOf(run);
  return { ...explainQueued(state, run), position: (policies ?? ready).positionOf(run) };
}

function explainQueued(state: Matching, run: LiveRun): Waiting {
  const queue = queueOf(run);
  if (state.suspects.some((suspect) => suspect.run === run)) {
    const because = `its worker died ${run.lost} times while executing it, so it is tried again alone, in a process that executes nothing else`;
    return { for: "a worker", because };
  }
  if (state.pauses.namespace) return { for: "resume", because: "the namespace is paused" };
  if (queue.isPaused) return { for: "resume", because: `task "${queue.name}" is paused` };
  if (isHolding(state)) {
    return { for: "a worker", because: "a new engine is waiting for the workers to report what they are executing" };
  }
  if (queue.workers.size === 0) return { for: "a worker", because: `no connected worker has the task "${queue.name}"` };
  const until = withheldUntil(state, queue);
  if (until !== undefined) {
    const at = shownTime(state.step.now + until - state.step.uptime);
    const because = `a worker that may be executing runs of this task has not reported to the new engine; waiting until ${at} at the latest`;
    return { for: "a concurrency limit", because };
  }
  const limit = queue.policies?.explain(run);
  if (limit !== undefined) return limit;
  const able = [...queue.workers].filter((worker) => worker.isAssignable);
  if (able.length === 0) return { for: "a worker", because: `no worker is taking runs: ${unable(queue.workers)}` };
  const { units } = queue;
  const needs = queue.policies?.needsOf(run);
  const suited = needs === undefined ? able : able.filter((worker) => suitability(needs, worker) !== undefined);
  if (suited.length === 0) return { for: "a worker", because: `no connected worker has ${describeNeeds(needs!)}` };
  if (suited.every((worker) => isIsolated(state, worker))) {
    const because = "a run whose worker died several times is being tried there alone";
    return { for: "a slot", because };
  }
  if (units > 1) {
    const most = Math.max(0, ...suited.map((worker) => worker.free));
    if (most < units)
      return {
        for: "a slot",
        because: `it needs ${units} slots on one worker, and no worker has more than ${most} free`,
      };
  }
  const free = suited.reduce((sum, worker) => sum + Math.max(worker.free, 0), 0);
  if (free > 0) return { for: "a slot", because: "it is about to be assigned" };
  const slots = suited.reduce((sum, worker) => sum + worker.slots, 0);
  return { for: "a slot", because: `no free slot: ${count(slots, "slot")} of ${count(suited.length, "worker")} taken` };
}

function unable(workers: Iterable<WorkerRecord>): string {
  return Array.from(workers, (worker) => `${worker.name} ${stateOfWorker(worker)}`).join(", ");
}

/** What keeps a worker from getting runs. */
export function stateOfWorker(worker: WorkerRecord): "gone" | "silent" | "blocked" | "quiet" | "paused" | "ready" {
  if (worker.unreachableSince !== undefined) return "gone";
  if (worker.isSilent) return "silent";
  if (worker.isBlocked) return "blocked";
  if (worker.isQuiet) return "quiet";
  return worker.isPaused ? "paused" : "ready";
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
