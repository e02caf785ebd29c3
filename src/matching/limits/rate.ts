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

/** By name, tasks share a rate; by an expression, each task has its own for each value. */
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
/** Uses closer than this part of the window are counted as one, at the time of the later. */
const grain = 64;
/** Units are reserved in portions of the limit, so that few writes are needed. */
const chunks = 16;

/**
 * A sliding window of started runs. Units are stored as reserved before a run may start: a new leader counts everything
 * reserved as used, so that a change of leader never lets more through. Times are on the scheduler's own clock.
 *
 * A run given to a worker counts until its code is known to have started, and for the length of the window from then: a worker
 * that starts late gets no more in a window than one that starts at once. Units are used by starting: none come back with the slot.
 */
export class RateLimit extends Limit {
  readonly id: string;
  #rule: Pick<RateRule, "key" | "limit" | "perMs">;
  readonly #uses = new Deque<Use>();
  #used = 0;
  /** Given to workers, and not known to have started. */
  #handedOut = 0;
  /** Stored and not used yet. */
  #reserved = 0;
  /** Asked for, and not stored yet. */
  #pending = 0;
  /** A write of its record is in flight: what is requested meanwhile goes into the next one. */
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
  /** Nothing counts any more. */
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
  /** Time, or a requested write, makes room. */
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

  /** The requested write is done. */
  confirm(units: number): void {
    const part = Math.min(units, this.#pending);
    this.isBeingStored = false;
    this.#pending -= part;
    this.#reserved += part;
    this.wake();
  }
  /** What an earlier leader had used or reserved. What it held may have been used until now, or until `readAt`. */
  restore({ uses, held = 0 }: StoredRate, readAt = this.host.step.uptime): void {
    const { now, uptime } = this.host.step;
    for (const { at, units } of uses) this.#use(units, uptime - Math.max(now - at, 0));
    if (held > 0) this.#use(held, readAt);
  }
  /** Everything that counts, for storing, in epoch milliseconds. */
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
  /** Never before one that counts already, so that they expire in order. */
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
