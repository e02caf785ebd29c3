// presence/: which workers are there.

import { goneAfterMs } from "../domain/cut-off.ts";
import type { Matching } from "../matching/matching.ts";
import { proveCaution } from "../matching/suspects/caution.ts";
import { endAll } from "../matching/unseen/lingering.ts";
import { describeUnheard } from "../matching/unseen/unheard.ts";
import type { WorkerRecord } from "../matching/workers.ts";
import type { Heartbeat } from "../wire/worker-messages.ts";
import { compareLedger } from "./ledger.ts";
import { dropWorker } from "./lose.ts";
import { endOverdue } from "./overdue.ts";

const reconnectGraceMs = 2_000;
const silentAfterMs = 12_000;

/** A worker says that it lives, and what it is executing. */
export function heartbeat(state: Matching, message: Heartbeat): void {
  const worker = state.workers.get(message.id);
  if (worker === undefined || !worker.isRegistered) return;
  showLife(state, worker);
  worker.isBlocked = message.blocked === true;
  worker.lagMs = message.lagMs;
  if (worker.isBlocked) return; // what it executes cannot have changed
  worker.isQuiet = message.quiet;
  worker.isHeld = false;
  compareLedger(state, worker, message.executing);
}

export function showLife(state: Matching, worker: WorkerRecord): void {
  worker.lastBeat = state.step.uptime;
  worker.lastHeartbeatAt = state.step.now;
  worker.unreachableSince = undefined;
  worker.isSilent = false;
}

/** A worker has answered a ping, so its connection is there again. Whether its event loop responds, its heartbeats show. */
export function pong(state: Matching, id: string): void {
  const worker = state.workers.get(id);
  if (worker !== undefined) worker.unreachableSince = undefined;
}

/** The server says that nobody listens on a worker's subject. `isDead`: its process has ended. */
export function unreachable(state: Matching, id: string, isDead = false): void {
  const worker = state.workers.get(id);
  if (isDead) {
    if (worker !== undefined) worker.isDead = true;
    if (worker?.isRegistered === false) proveCaution(state); // it will not come back
    endAll(state, id);
  }
  // The server closes the connection of a process whose loop is blocked for minutes, while its thread keeps sending heartbeats.
  if (worker !== undefined && !worker.isBlocked) worker.unreachableSince ??= state.step.uptime;
}

/** A worker says goodbye. */
export function leave(state: Matching, id: string): void {
  const worker = state.workers.get(id);
  if (worker !== undefined) dropWorker(state, worker, `worker ${id} left`, false);
  endAll(state, id);
}

/** Drops workers that have lost their connection, or were silent, for too long. */
export function watchPresence(state: Matching): void {
  for (const worker of state.workers.values()) {
    const silentMs = state.step.uptime - worker.lastBeat;
    worker.isSilent = silentMs >= silentAfterMs;
    if (silentMs >= goneAfterMs) drop(state, worker, `sent no heartbeat for ${goneAfterMs / 1000} s`);
    else if (worker.unreachableSince !== undefined && state.step.uptime - worker.unreachableSince >= reconnectGraceMs)
      drop(state, worker, "lost its connection");
    else endOverdue(state, worker);
  }
}

function drop(state: Matching, worker: WorkerRecord, what: string): void {
  const fields = { worker: worker.id, busy: worker.busy };
  const message = worker.isRegistered
    ? `worker '${worker.name}' ${what}: its runs are queued again`
    : `a worker known to the previous leader ${what}: its runs are queued again${describeUnheard(state, worker.id)}`;
  state.step.commands.push({ type: "log", level: worker.isRegistered ? "warn" : "info", message, fields });
  dropWorker(state, worker, `worker ${worker.id} ${what}`, true);
}
