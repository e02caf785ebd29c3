// A rate limit: so many units of work per window of time, never more, whoever leads.
import { Deque } from "../../collections/deque.ts";
import { formatDuration } from "../../domain/duration.ts";
import { isExpression, type KeyScope } from "../../domain/key-expression.ts";
import type { RateRule } from "../../domain/limits.ts";
import type { Waiting } from "../../domain/run.ts";
import { shownTime } from "../../domain/time.ts";
import type { StoredRate } from "../commands.ts";
import { registeredKey } from "./keys.ts";
import { Limit, type LimitHost } from "./limit.ts";
import type { RuleLimits } from "./rule-limits.ts";

/** A rate with a name is shared by all tasks that name it; by an expression, each task has one for each value. */
export function rateLimits(host: LimitHost, task: string, rule: RateRule): RuleLimits {
  const key = isExpression(rule.key) ? registeredKey(rule.key) : undefined;
  return {
    key,
    units: unitsBy(rule),
    limitFor: (value) => host.rateOf(key === undefined ? rule.key : JSON.stringify([task, rule.key, value]), rule),
  };
}

function unitsBy({ units: given, limit }: RateRule): RuleLimits["units"] {
  if (typeof given === "number") return { needsInput: false, of: () => given };
  const expression = registeredKey(given);
  const of = (scope: KeyScope): number => {
    const units = Number(expression.evaluate(scope));
    if (Number.isSafeInteger(units) && units >= 0 && units <= limit) return units;
    throw new Error(`${given} is ${units}; units must be a whole number from 0 to the limit, ${limit}`);
  };
  return { needsInput: expression.needsInput, of };
}

interface Use {
  readonly from: number;
  at: number;
  units: number;
}
/** Uses within this part of the window (one in so many) are counted as one, at the time of the latest. */
const grain = 64;
/** Units are reserved by this part of the limit (one in so many), so that few writes are needed. */
const chunks = 16;

/**
 * A sliding window of started runs. Units are stored as reserved before a run may start. A new leader counts everything that was
 * reserved as used, so a change of leaders never lets more through. Times are on the scheduler's own clock.
 *
 * A run that was given to a worker counts until its code is known to have started, and from then on for the length of the window. So a worker
 * that starts late gets no more in a window than one that starts at once. Units are used up by starting: they do not come back with the slot.
 */
export class RateLimit extends Limit {
  readonly id: string;
  #rule: Pick<RateRule, "key" | "limit" | "perMs">;
  readonly #uses = new Deque<Use>();
  #used = 0;
  /** Units of runs that were given to workers, and are not known to have started. */
  #handedOut = 0;
  /** Units that are stored as reserved, and not used yet. */
  #reserved = 0;
  /** Units that were asked for, and are not stored yet. */
  #pending = 0;
  /** Its record is being written: what is asked for meanwhile goes into the next write. */
  isBeingStored = false;

  constructor(host: LimitHost, id: string, rule: RateRule) {
    super(host);
    this.id = id;
    this.#rule = rule;
  }
  get rule(): Pick<RateRule, "key" | "limit" | "perMs"> {
    return this.#rule;
  }
  redeclare(rule: RateRule): void {
    this.#rule = rule;
  }
  /** Whether nothing counts any more. */
  get isIdle(): boolean {
    this.#expire();
    return this.lanes === 0 && this.#used === 0 && this.#handedOut === 0 && this.#pending === 0;
  }

  hasRoom(units: number): boolean {
    return this.#reserved >= units;
  }
  override take(units: number): void {
    const part = Math.min(units, this.#reserved);
    this.#reserved -= part;
    this.#handedOut += part;
  }
  override begin(units: number, agoMs: number): void {
    const part = Math.min(units, this.#handedOut);
    if (part === 0) return;
    this.#handedOut -= part;
    this.#use(part, this.host.step.uptime - agoMs);
    if (this.hasParked) this.wakeAt(this.#roomAt(part));
  }
  override refund(units: number): void {
    const part = Math.min(units, this.#handedOut);
    this.#handedOut -= part;
    this.#reserved += part;
  }
  /** Room comes with time, or when the units that were asked for are stored. */
  protected override seekRoom(units: number): void {
    this.#expire();
    const missing = units - this.#reserved - this.#pending;
    if (missing > 0) this.#reserve(missing);
    if (this.#pending === 0) this.wakeAt(this.#roomAt(units));
  }
  /** When there may be room for this many units. Changes nothing. */
  #roomAt(units: number): number {
    const { uptime } = this.host.step;
    const { limit, perMs } = this.#rule;
    let free = limit - this.#used - this.#handedOut - this.#pending;
    if (free >= units) return uptime;
    for (const use of this.#uses) {
      free += use.units;
      if (free >= units) return Math.max(use.at + perMs, uptime);
    }
    return uptime + perMs;
  }
  explain(units: number): Waiting {
    const { key, limit, perMs } = this.#rule;
    const at = shownTime(this.host.step.now + Math.max(this.#roomAt(units) - this.host.step.uptime, 0));
    const rate = `${limit} per ${formatDuration(perMs)}`;
    return { for: "a rate limit", because: `rate limit ${JSON.stringify(key)} of ${rate} is used up until ${at}` };
  }

  /** This many units are stored as reserved. */
  confirm(units: number): void {
    const part = Math.min(units, this.#pending);
    this.isBeingStored = false;
    this.#pending -= part;
    this.#reserved += part;
    this.wake();
  }
  /** Counts what an earlier leader had used. What it had reserved may have been used until now, or until `readAt`. */
  restore({ uses, held = 0 }: StoredRate, readAt = this.host.step.uptime): void {
    const { now, uptime } = this.host.step;
    for (const { at, units } of uses) this.#use(units, uptime - Math.max(now - at, 0));
    if (held > 0) this.#use(held, readAt);
  }
  /** Everything that counts, in the form in which it is stored. */
  toStored(): StoredRate {
    const { now, uptime } = this.host.step;
    const uses = Array.from(this.#uses, ({ at, units }) => ({ at: now - (uptime - at), units }));
    const held = this.#handedOut + this.#reserved + this.#pending;
    return { id: this.id, perMs: this.#rule.perMs, uses, ...(held > 0 && { held }) };
  }

  #reserve(missing: number): void {
    const { limit } = this.#rule;
    const free = limit - this.#used - this.#handedOut - this.#reserved - this.#pending;
    if (free < missing) return;
    const units = Math.min(free, Math.max(missing, Math.ceil(limit / chunks)));
    this.#pending += units;
    this.host.reserve(this.id, units);
  }
  /** Counts a use, never before one that counts already, so that uses expire in order. */
  #use(units: number, begunAt: number): void {
    const last = this.#uses.last();
    const at = Math.max(begunAt, last?.at ?? begunAt);
    this.#used += units;
    if (last !== undefined && at - last.from < this.#rule.perMs / grain) {
      last.units += units;
      last.at = at;
    } else this.#uses.push({ from: at, at, units });
  }
  #expire(): void {
    const until = this.host.step.uptime - this.#rule.perMs;
    for (let first = this.#uses.first(); first !== undefined && first.at <= until; first = this.#uses.first()) {
      this.#uses.shift();
      this.#used -= first.units;
    }
  }
}
