// Changes of a stored schedule. Each is a function of the record, so that whoever finds another record than expected can try again.
import { type CronInfo, type CronOrigin, type CronRule, dueTicks, nextTick } from "../domain/cron.ts";
import type { CronRecord } from "../domain/cron-record.ts";

/** A last tick further ahead was written by a wrong clock. Units: milliseconds */
export const clockErrorMs = 60_000;

export interface ClaimedTicks {
  readonly record: CronRecord;
  readonly missed: number;
  readonly fired: number;
}

/**
 * Claims the ticks that are due, and those `left` by an earlier claim; undefined if there are none. The claim is stored before anything is fired:
 * whoever finds another record than expected has not got these ticks.
 */
export function claimed(record: CronRecord, { by, left, now, livesSince }: ClaimTerms): ClaimedTicks | undefined {
  const { firing: _, ...rest } = record;
  const { lastTick, paused } = record;
  const due = paused ? { fire: [], upTo: lastTick, missed: 0 } : dueTicks(record, lastTick, now, livesSince);
  const ticks = [...left, ...due.fire];
  const upTo = Math.max(lastTick, due.upTo);
  if (ticks.length === 0 && upTo === lastTick) return undefined;
  const next = { ...rest, lastTick: upTo, ...(ticks.length > 0 && { firing: { by, ticks } }) };
  return { record: next, missed: due.missed, fired: due.fire.length };
}
interface ClaimTerms {
  readonly by: string;
  readonly left: readonly number[];
  readonly now: number;
  readonly livesSince: number | undefined;
}

/** Releases ticks whose runs are stored, whoever created them; by default all. */
export function released({ firing, ...record }: CronRecord, made = firing?.ticks): CronRecord {
  const ticks = firing?.ticks.filter((at) => !made?.includes(at)) ?? [];
  return ticks.length === 0 ? record : { ...record, firing: { ...firing!, ticks } };
}

export interface Declaration {
  readonly rule: CronRule;
  readonly task: string;
  readonly origin: CronOrigin;
  readonly worker?: string;
}

/** Declares a schedule over what is stored. A changed one starts afresh, an unchanged one keeps its last tick. Claims stay. */
export function declaredOver(
  before: CronRecord | undefined,
  { rule, task, ...whose }: Declaration,
  now: number,
): CronRecord {
  const isSame = before?.expression === rule.expression && before.timezone === rule.timezone;
  const { name, expression, timezone, catchUp, input } = rule;
  const paused = before?.paused ?? false;
  return {
    ...{ name, expression, timezone, catchUp, ...(input !== undefined && { input }), task, paused },
    lastTick: isSame ? before.lastTick : Math.max(before?.lastTick ?? 0, now),
    ...whose,
    ...(before?.firing && { firing: before.firing }),
  };
}

/** Pauses or resumes a schedule. Ticks that were due while it was paused are not missed. */
export function pausedAs(record: CronRecord, paused: boolean, now: number): CronRecord {
  if (record.paused === paused) return record;
  return { ...record, paused, lastTick: paused ? record.lastTick : Math.max(record.lastTick, now) };
}

export function infoOf({ paused, firing: _, ...record }: CronRecord): CronInfo {
  const next = paused ? undefined : nextTick(record, record.lastTick);
  return { ...record, paused, ...(next !== undefined && { nextTick: next }) };
}
