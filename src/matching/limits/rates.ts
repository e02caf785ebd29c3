// The rate limits of a namespace: shared by tasks, stored before they are used, and taken over by the next leader.
import type { RateRule } from "../../domain/limits.ts";
import type { StoredRate } from "../commands.ts";
import type { Matching } from "../matching.ts";
import { RateLimit } from "./rate.ts";

/** `units` more are stored as reserved. `found`: what the previous leader had stored in the meantime. */
export interface ConfirmedRate {
  readonly id: string;
  readonly units: number;
  readonly found?: StoredRate | undefined;
}

const tidyEveryMs = 60_000;

/** Takes over what earlier leaders had used. Called before anything is dispatched. */
export function restoreRates(state: Matching, stored: readonly StoredRate[], readAt: number): void {
  state.storedRates = new Map(stored.map((rate) => [rate.id, rate]));
  state.ratesReadAt = readAt;
}

/** The rate limit with that id, which tasks may share. The newest rule counts. */
export function rateOf(state: Matching, id: string, rule: RateRule): RateLimit {
  let limit = state.rates.get(id);
  if (limit === undefined) {
    limit = new RateLimit(state.lanes, id, rule);
    const stored = state.storedRates.get(id);
    if (stored !== undefined) limit.restore(stored, state.ratesReadAt);
    state.rates.set(id, limit);
  } else limit.redeclare(rule);
  return limit;
}

/** Wakes the limits that may have room by now. */
export function wakeRates({ limitWakes, step }: Matching): void {
  for (let next = limitWakes.first(); next !== undefined && next.at <= step.uptime; next = limitWakes.first()) {
    limitWakes.pop();
    next.limit.wake();
  }
}

/** When the next limit may have room. Units: epoch milliseconds */
export function nextRateWake(state: Matching): number {
  const next = state.limitWakes.first();
  return next === undefined ? Number.POSITIVE_INFINITY : state.step.now + Math.max(next.at - state.step.uptime, 0);
}

/** Has reservations stored, before they are used. One write of a record at a time, so that none is taken for another leader's. */
export function storeReservations(state: Matching): void {
  const rates: (StoredRate & { readonly units: number })[] = [];
  for (const [id, units] of state.reservations) {
    const limit = state.rates.get(id)!;
    if (limit.isBeingStored) continue;
    limit.isBeingStored = true;
    state.reservations.delete(id);
    rates.push({ ...limit.toStored(), units });
  }
  if (rates.length > 0) state.step.commands.push({ type: "storeRates", rates });
}

export function confirmReservations(state: Matching, stored: readonly ConfirmedRate[]): void {
  for (const { id, units, found } of stored) {
    const limit = state.rates.get(id);
    if (found !== undefined) limit?.restore(found);
    limit?.confirm(units);
  }
}

/** Forgets rates of which nothing counts any more. */
export function tidyRates(state: Matching): void {
  if (state.step.uptime - state.ratesTidiedAt < tidyEveryMs || state.rates.size + state.storedRates.size === 0) return;
  state.ratesTidiedAt = state.step.uptime;
  const dropped = new Set<string>();
  for (const [id, limit] of state.rates) if (limit.isIdle) dropped.add(id);
  for (const [id, stored] of state.storedRates) if (!state.rates.has(id) && isOver(state, stored)) dropped.add(id);
  for (const id of dropped) {
    state.rates.delete(id);
    state.storedRates.delete(id);
  }
  if (dropped.size > 0) state.step.commands.push({ type: "dropRates", ids: [...dropped] });
}

/** Whether nothing of a stored rate counts any more. What was held may have been used until it was read. */
const isOver = ({ step: { now, uptime }, ratesReadAt }: Matching, { perMs, uses, held = 0 }: StoredRate): boolean =>
  uses.every(({ at }) => at + perMs < now) && (held === 0 || uptime - ratesReadAt > perMs);
