import { formatDuration } from "../../domain/duration.ts";
import type { RateRule } from "../../domain/limits.ts";
import type { Waiting } from "../../domain/run.ts";
import type { StoredRate } from "../commands.ts";
import { Deque } from "../deque.ts";
import type { SchedulerState } from "../state.ts";
import { Limit } from "./limit.ts";

interface Use {
  readonly from: number;
  at: number;
  units: number;
}
/** Uses closer than this part of the window are counted as one, at the time of the later. */
const grain = 64;
/** Units are reserved in parts of the limit, so that few writes are needed. */
const chunks = 16;

/**
 * A sliding window of what was started. What may start is stored before it starts, as a reservation: a new leader counts all that was
 * reserved as used, so that no change of leader lets more through. Times are on the scheduler's own clock.
 */
export class RateLimit extends Limit {
  readonly id: string;
  #rule: Pick<RateRule, "key" | "limit" | "perMs">;
  readonly #state: SchedulerState;
  readonly #uses = new Deque<Use>();
  #used = 0;
  /** Stored and not used yet. */
  #reserved = 0;
  /** On its way to the store. */
  #pending = 0;
  /** When it will look again; on the scheduler's own clock. */
  wakeAt: number | undefined = undefined;

  constructor(state: SchedulerState, id: string, rule: RateRule) {
    super();
    this.#state = state;
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
    return this.lanes === 0 && this.#used === 0 && this.#pending === 0;
  }

  hasRoom(units: number): boolean {
    this.#expire();
    const missing = units - this.#reserved - this.#pending;
    if (missing > 0) this.#reserve(missing);
    return this.#reserved >= units;
  }
  take(units: number): void {
    const part = Math.min(units, this.#reserved);
    this.#reserved -= part;
    if (part > 0) this.#use(part, this.#state.uptime);
  }
  /** Units are used by starting. */
  giveBack(): void {}
  refund(units: number): void {
    let left = Math.min(units, this.#used);
    this.#used -= left;
    this.#reserved += left;
    for (let last = this.#uses.last(); last !== undefined && left > 0; last = this.#uses.last()) {
      const part = Math.min(left, last.units);
      last.units -= part;
      left -= part;
      if (last.units > 0) break;
      this.#uses.prune((use) => use !== last);
    }
  }
  /** The clock, or what was asked to be stored, makes room. */
  protected override onParked(units: number): void {
    if (this.#pending > 0) return;
    const at = this.#roomAt(units);
    if (this.wakeAt !== undefined && this.wakeAt > this.#state.uptime && this.wakeAt <= at) return;
    this.wakeAt = at;
    this.#state.limitWakes.push({ at, limit: this });
  }
  /** When room may be there, for as many units. */
  #roomAt(units: number): number {
    this.#expire();
    let free = this.#rule.limit - this.#used - this.#pending;
    if (free >= units) return this.#state.uptime;
    for (const use of this.#uses) {
      free += use.units;
      if (free >= units) return use.at + this.#rule.perMs;
    }
    return this.#state.uptime + this.#rule.perMs;
  }
  explain(units: number): Waiting {
    const { key, limit, perMs } = this.#rule;
    const at = new Date(this.#state.now + Math.max(this.#roomAt(units) - this.#state.uptime, 0)).toISOString();
    const rate = `${limit} per ${formatDuration(perMs)}`;
    return { for: "its rate", because: `rate limit ${JSON.stringify(key)} of ${rate} is used up; room from ${at}` };
  }

  /** What was asked to be stored is stored. */
  confirm(units: number): void {
    const part = Math.min(units, this.#pending);
    this.#pending -= part;
    this.#reserved += part;
    this.wake();
  }
  /** What a leader before this one had used or reserved. */
  restore(stored: StoredRate): void {
    for (const { at, units } of stored.uses) this.#use(units, this.#state.uptime - Math.max(this.#state.now - at, 0));
  }
  /** Everything that counts, as it is to be stored: in epoch milliseconds. */
  toStored(): StoredRate {
    const { now, uptime } = this.#state;
    const uses = Array.from(this.#uses, ({ at, units }) => ({ at: now - (uptime - at), units }));
    const held = this.#reserved + this.#pending;
    if (held > 0) uses.push({ at: now, units: held });
    return { id: this.id, perMs: this.#rule.perMs, uses };
  }

  #reserve(missing: number): void {
    const { limit } = this.#rule;
    const free = limit - this.#used - this.#reserved - this.#pending;
    if (free < missing) return;
    const units = Math.min(free, Math.max(missing, Math.ceil(limit / chunks)));
    this.#pending += units;
    const asked = this.#state.reservations.get(this.id) ?? 0;
    this.#state.reservations.set(this.id, asked + units);
  }
  #use(units: number, at: number): void {
    this.#used += units;
    const last = this.#uses.last();
    if (last !== undefined && at - last.from < this.#rule.perMs / grain) {
      last.units += units;
      last.at = Math.max(last.at, at);
    } else this.#uses.push({ from: at, at, units });
  }
  #expire(): void {
    const until = this.#state.uptime - this.#rule.perMs;
    for (let first = this.#uses.first(); first !== undefined && first.at <= until; first = this.#uses.first()) {
      this.#uses.shift();
      this.#used -= first.units;
    }
  }
}
