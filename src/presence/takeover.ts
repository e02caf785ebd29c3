// A takeover: what a new leader believes before it has heard from each worker itself.
import type { Matching } from "../matching/matching.ts";
import { placeAll } from "../matching/placement.ts";
import { beCautious, keepNoted } from "../matching/suspects/caution.ts";
import type { Cautious, Tried } from "../matching/suspects/tried.ts";
import { queueOf } from "../matching/task-queue.ts";
import { awaitWorker } from "../matching/unseen/unheard.ts";
import type { CountedSpan, HandOver, LedgerEntry } from "../wire/hand-over.ts";
import type { KnownWorker } from "../wire/records.ts";
import { bookFound, isFree, workerWith } from "./found.ts";

/**
 * This engine holds the lease and has folded the whole log.
 *
 * `ledger` is given only if the previous leader left cleanly; without it, runs wait until all `knownWorkers` have registered or 2 s have passed, and
 * none is cancelled or moved before each of these has registered or is gone.
 */
export interface LeadEvent {
  readonly type: "lead";
  readonly epoch: number;
  readonly knownWorkers: readonly string[];
  /** What else is known about those workers. */
  readonly details?: ReadonlyMap<string, KnownWorker> | undefined;
  readonly ledger?: readonly Omit<LedgerEntry, "origin">[] | undefined;
  /** Which time counted as waiting for an earlier leader that left cleanly. */
  readonly counted?: CountedSpan | undefined;
  /** What earlier leaders tried in their own process, and may have died of. */
  readonly tried?: readonly Tried[] | undefined;
  /** How cautious an earlier leader was. */
  readonly cautious?: Cautious | undefined;
  /** The process of this engine. */
  readonly process?: string | undefined;
}

/** Begins to lead. Nothing is dispatched before the workers that may be executing something have said what it is. */
export function takeOver(state: Matching, event: LeadEvent): void {
  countTime(state, event);
  placeAll(state);
  if (event.cautious !== undefined) state.caution = { ...event.cautious, isProven: true };
  if (event.ledger !== undefined) adoptLedger(state, event);
  else awaitWorkers(state, event);
}

/** What the next leader gets: the ledger, unless a worker has not said what it executes, or may be executing lost runs. Then the next leader must ask too. */
export function handOverOf({ queueIndex, step, lingering, unheard, workers }: Matching): HandOver {
  const counted = queueIndex.counted.spanUntil(step.now);
  if (lingering.size > 0 || unheard.size > 0) return { counted };
  const ledger = Array.from(workers.values()).flatMap((worker) =>
    worker.bookings().map(({ key, turn, origin }) => ({ key, turn, origin, worker: worker.id })),
  );
  return { ledger, counted };
}

/** Only a leader that handed over cleanly says until when it led; the time without a leader never counts. */
function countTime(state: Matching, { counted }: LeadEvent): void {
  const { queueIndex } = state;
  const { now } = state.step;
  state.tickedAt = now;
  if (counted === undefined) queueIndex.counted.restart(now);
  else queueIndex.counted.resume(counted, now);
}

/** Waits for workers that may still be executing runs which are queued here. Each counts as present until presence decides otherwise. */
function awaitWorkers(state: Matching, { knownWorkers, details, tried = [] }: LeadEvent): void {
  const awaited = new Set([...knownWorkers, ...adoptTried(state, tried)]);
  if (awaited.size === 0) return;
  for (const id of awaited) {
    workerWith(state, id);
    awaitWorker(state, id, details?.get(id));
  }
  beCautious(state);
}

/** The previous leader has said who executes what. Its workers count as present until presence decides otherwise. */
function adoptLedger(state: Matching, { knownWorkers, ledger = [], tried = [] }: LeadEvent): void {
  for (const id of knownWorkers) workerWith(state, id);
  for (const { key, turn, worker } of ledger) book(state, key, turn, worker);
  for (const noted of tried) keepNoted(state, noted);
}

/** Books what the previous leader may have died of: its worker has died too, or will say that it has not. Returns the workers of these attempts. */
function* adoptTried(state: Matching, tried: readonly Tried[]): Iterable<string> {
  for (const noted of tried) {
    const { key, turn, worker } = noted;
    if (!book(state, key, turn, worker)) continue;
    keepNoted(state, noted);
    yield worker;
  }
}

/** Books an attempt that is executing there, as far as is known. Returns false if it has ended. */
function book(state: Matching, key: string, turn: number, id: string): boolean {
  const run = state.fold.live.get(key);
  if (run === undefined || run.turn !== turn || !isFree(run)) return false;
  const { origin } = run;
  const startedAt = state.step.now;
  bookFound(state, workerWith(state, id), { key, turn, origin, run, units: queueOf(run).units, startedAt });
  return true;
}
