// A concurrency limit: so many executing runs at most, of a task or of each key.
import type { ConcurrencyRule } from "../../domain/limits.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { registeredKey } from "./keys.ts";
import { Limit, type LimitHost } from "./limit.ts";
import type { Turns } from "./listing.ts";
import type { RuleLimits } from "./rule-limits.ts";

export interface KeyLimitHost extends LimitHost {
  /** A run has come under a limit whose strategy cancels runs over the limit. */
  weigh(limit: KeyLimit, arrived: LiveRun): void;
}

/** A limit for each key. It exists for as long as a lane or an executing run needs it. */
export function concurrencyLimits(host: KeyLimitHost, rule: ConcurrencyRule): RuleLimits {
  const limits = new Map<string, KeyLimit>();
  return {
    key: registeredKey(rule.key),
    limitFor(key) {
      const limit = limits.get(key) ?? new KeyLimit(host, rule, key, limits);
      limits.set(key, limit);
      return limit;
    },
  };
}

/** The executing runs of one key, or of a whole task: never more than `max`. A run counts until its worker has reported its outcome. */
export class KeyLimit extends Limit implements Turns {
  override readonly isKeyed = true;
  override readonly turns: Turns | undefined;
  protected override readonly host: KeyLimitHost;
  readonly rule: ConcurrencyRule;
  readonly key: string;
  readonly #among: Map<string, KeyLimit>;
  running = 0;
  served = 0;
  /** Queued and executing runs, in the order in which they came; only for strategies that cancel. */
  readonly members = new Set<LiveRun>();

  constructor(host: KeyLimitHost, rule: ConcurrencyRule, key: string, among: Map<string, KeyLimit>) {
    super(host);
    this.host = host;
    this.rule = rule;
    this.key = key;
    this.#among = among;
    this.turns = rule.key === null ? undefined : this;
  }
  hasRoom(): boolean {
    return this.running < this.rule.max;
  }
  override arrive(run: LiveRun): void {
    if (this.rule.strategy === "queue") return;
    this.members.add(run);
    this.host.weigh(this, run);
  }
  override take(): void {
    this.running++;
  }
  override adopt(run: LiveRun): void {
    this.take();
    if (this.rule.strategy !== "queue") this.members.add(run);
  }
  override giveBack(): void {
    this.running--;
    this.wake();
    this.#dropIfIdle();
  }
  override leave(): void {
    super.leave();
    this.#dropIfIdle();
  }
  explain(): Waiting {
    const { key, max } = this.rule;
    const of = key === null ? "of this task" : `with ${key} = ${JSON.stringify(this.key)}`;
    return {
      for: "a concurrency limit",
      because: `${this.running} of ${max} allowed runs ${of} ${this.running === 1 ? "is" : "are"} executing`,
    };
  }
  #dropIfIdle(): void {
    const isIdle = this.running === 0 && this.lanes === 0;
    if (isIdle && this.#among.get(this.key) === this) this.#among.delete(this.key);
  }
}
