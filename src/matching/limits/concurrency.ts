import type { ConcurrencyRule } from "../../domain/limits.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { Limit } from "./limit.ts";
import type { Turns } from "./listing.ts";

/** The executing runs of one key (or of a whole task): never more than `max`. A slot counts until its worker has reported. */
export class KeyLimit extends Limit implements Turns {
  override readonly isKeyed = true;
  readonly rule: ConcurrencyRule;
  readonly key: string;
  running = 0;
  served = 0;
  /** Queued runs, in order; for strategies that cancel. */
  readonly members = new Set<LiveRun>();

  constructor(rule: ConcurrencyRule, key: string) {
    super();
    this.rule = rule;
    this.key = key;
  }
  hasRoom(): boolean {
    return this.running < this.rule.max;
  }
  take(): void {
    this.running++;
  }
  giveBack(): void {
    this.running--;
    this.wake();
  }
  /** Releases its slot as well. */
  refund(): void {}
  get isIdle(): boolean {
    return this.running === 0 && this.lanes === 0;
  }
  explain(): Waiting {
    const { key, max } = this.rule;
    const of = key === null ? "of this task" : `with ${key} = ${JSON.stringify(this.key)}`;
    return {
      for: "a concurrency limit",
      because: `${this.running} of ${max} allowed runs ${of} ${this.running === 1 ? "is" : "are"} executing`,
    };
  }
}
