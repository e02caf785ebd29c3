// What the log says about durable runs in particular: where they are parked, and which signals have arrived for them.
import { cancelSignal, type Parked } from "../domain/durable.ts";
import type { RememberedOutcome } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { LiveRun } from "./live-run.ts";
import type { SignalEvent } from "./log-events.ts";
import { Flow, type PendingSignal } from "./parked-run.ts";

/** Where a durable run stands before it is parked for the first time. */
const fresh: Parked = { lap: 1, ops: 0, waits: [], cursors: {}, journalSeq: 0 };

const noAttempts = { lost: 0, history: [] };

/** A turn has ended as parked. The journal has the losses and attempts up to here; a run that lasts for years must not carry them along. */
export function parkRun(fold: Fold, run: LiveRun, { outcome, writer }: RememberedOutcome): void {
  const told = outcome.detail as Parked | undefined;
  if (told === undefined) return;
  if (run.trail !== undefined) Object.assign(run.trail, noAttempts);
  // Code that does not match the journal has taken nothing in: the run still waits for the same things.
  const parked = told.blocked === undefined ? told : { ...(run.flow?.parked ?? fresh), blocked: told.blocked };
  setFlow(fold, run, new Flow(parked, fold.textOnce(writer), outcome.turn, (name) => fold.textOnce(name)));
}

export function setFlow(fold: Fold, run: LiveRun, flow: Flow): void {
  run.flow = flow;
  fold.families.adopt(run);
  const signals = fold.signals.get(run.key);
  if (signals === undefined) return;
  for (const { name, seq } of signals) if (!isPending(run, { name, seq })) fold.listener?.spent(run.key, name, seq);
  keepSignals(fold, run.key, signals, (signal) => isPending(run, signal));
}

/** The newest signal of a name that the journal of the run has taken, as far as the log knows. A log sequence */
export const cursorOf = (run: LiveRun, name: string): number =>
  Math.max(Math.floor(run.origin), run.flow?.cursors[name] ?? 0);

const isPending = (run: LiveRun, { name, seq }: Pick<PendingSignal, "name" | "seq">): boolean =>
  seq > cursorOf(run, name);

/** The signals that a run may still take, in order of arrival. */
export const pendingSignals = (fold: Fold, run: LiveRun): readonly PendingSignal[] =>
  fold.signals.get(run.key)?.filter((signal) => isPending(run, signal)) ?? [];

/** Whether the log says that the run should be cancelled, and its journal has not taken that: the run is offered it like a signal. */
export const isCancelPending = (run: LiveRun): boolean =>
  run.trail?.cancelWish !== undefined && run.trail.cancelWish.seq > cursorOf(run, cancelSignal);

/** A signal is kept even if its run is unknown: the run's entry may have been moved behind it. */
export function foldSignal(fold: Fold, { seq, at, task, id, name }: SignalEvent): void {
  fold.advance(seq, at);
  const key = `${task}/${id}`;
  const run = fold.live.get(key);
  const signal = { name, seq, at };
  if (run !== undefined && !isPending(run, signal)) return;
  const others = fold.signals.get(key);
  if (others === undefined) fold.signals.set(key, [signal]);
  else others.push(signal);
  fold.listener?.signalled(key, run, seq);
}

/** Signals to a finished run are useless; those after its end may be for the next run with its id. */
export function dropSignals(fold: Fold, key: string, upTo: number): void {
  const signals = fold.signals.get(key);
  if (signals === undefined) return;
  keepSignals(fold, key, signals, ({ seq }) => seq > upTo);
  fold.listener?.spent(key, undefined, upTo);
}

/** Signals below `keepFrom` to a key without a live run were purged. */
export function dropUnclaimed(fold: Fold, key: string, keepFrom: number): void {
  const signals = fold.live.has(key) ? undefined : fold.signals.get(key);
  if (signals !== undefined) keepSignals(fold, key, signals, ({ seq }) => seq >= keepFrom);
}

function keepSignals(
  fold: Fold,
  key: string,
  signals: readonly PendingSignal[],
  isKept: (signal: PendingSignal) => boolean,
): void {
  const kept = signals.filter(isKept);
  if (kept.length === 0) fold.signals.delete(key);
  else if (kept.length < signals.length) fold.signals.set(key, kept);
}
