import { type FinishedRun, setEntry } from "./finished-run.ts";
import type { LiveRun } from "./live-run.ts";
import type { SchedulerState } from "./state.ts";

/** An attempt that runs for longer is compacted while it runs: it would hold up the purge of everything behind it. */
const patienceMs = 60_000;

/** Moves the entry of a live run to the tail, with the run as it is known now. False if that has to wait. */
export function compactLive(state: SchedulerState, run: LiveRun): boolean {
  if (run.place === "running" && state.now - startedAt(run, state.now) < patienceMs) return false;
  if (state.retention.compacting.has(run.key)) return true;
  const { priority, createdAt, scheduleTimeoutMs, inbox, metadata, seq } = run;
  const { origin, turn, attempt, lost, readyAt } = run;
  const isWaiting = run.place === "scheduled" || run.place === "retrying";
  const dueAt = isWaiting ? readyAt : 0;
  const known = {
    asOf: state.position,
    origin,
    turn,
    attempt,
    lost,
    dueAt,
    readyAt,
    retrying: run.place === "retrying",
    history: run.history,
  };
  state.retention.compacting.set(run.key, seq);
  state.commands.push({
    type: "compact",
    key: run.key,
    expectSeq: seq,
    inputSeq: seq,
    entry: {
      form: 1,
      priority,
      createdAt,
      dueAt,
      scheduleTimeoutMs,
      inbox,
      extra: {
        ...(metadata === undefined ? {} : { metadata }),
        ...(run.placement === undefined ? {} : { placement: run.placement }),
        state: known,
      },
    },
  });
  return true;
}

/** Writes, or moves to the tail, the state of a finished key as an entry, so that its outcomes may go. */
export function compactFinished(state: SchedulerState, run: FinishedRun): void {
  if (state.retention.compacting.has(run.key)) return;
  const { kind, origin, seq, index, at, createdAt, metadata } = run;
  const known = { asOf: state.position, origin, kind, seq, index, at };
  state.retention.compacting.set(run.key, run.entrySeq);
  state.commands.push({
    type: "compact",
    key: run.key,
    expectSeq: run.entrySeq,
    inputSeq: 0,
    entry: {
      form: 2,
      priority: 0,
      createdAt,
      dueAt: 0,
      scheduleTimeoutMs: undefined,
      inbox: "",
      extra: { ...(metadata === undefined ? {} : { metadata }), state: known },
    },
  });
}

/** The expected entry is not there any more: purged, or replaced by one that the fold will bring. */
export function compactionRefused(state: SchedulerState, key: string, expectSeq: number): void {
  state.retention.compacting.delete(key);
  const finished = state.finished.get(key);
  if (finished?.entrySeq === expectSeq) setEntry(state.queueOf(finished.task).entries, finished, 0, false);
}

function startedAt(run: LiveRun, otherwise: number): number {
  return run.worker?.find(run.key, run.turn, run.origin)?.startedAt ?? otherwise;
}
