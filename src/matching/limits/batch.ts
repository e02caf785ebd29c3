// A batch limit: holds runs back until there are enough for one call of their handler.
import type { BatchRule } from "../../domain/batch.ts";
import type { Waiting } from "../../domain/run.ts";
import { shownTime } from "../../domain/time.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { laneKeysOf, registeredKey } from "./keys.ts";
import type { Gathering, Lane } from "./lanes.ts";
import { Limit, type LimitHost } from "./limit.ts";
import type { RuleLimits } from "./rule-limits.ts";

/** Each lane has a batch of its own, whose runs so share all their keys. */
export const batchLimits = (host: LimitHost, rule: BatchRule): RuleLimits => ({
  key: registeredKey(rule.key),
  countsBytes: rule.bytes !== null,
  limitFor: () => new BatchLimit(host, rule),
});

/** Holds a lane back until a batch is full, or its first run has waited long enough. */
export class BatchLimit extends Limit implements Gathering {
  readonly #rule: BatchRule;
  lane!: Lane;

  constructor(host: LimitHost, rule: BatchRule) {
    super(host);
    this.#rule = rule;
  }

  hasRoom(): boolean {
    const first = this.lane.ready.first();
    return first !== undefined && (this.#dueAt(first) <= this.host.step.now || this.#isFull());
  }
  /** Takes the runs that go with the first one of a batch, as far as all other limits have room for them. */
  *takeFollowers(first: LiveRun): Iterable<LiveRun> {
    const { size, bytes } = this.#rule;
    const { lane } = this;
    let taken = 1;
    let sum = bytesOf(first);
    for (let run = lane.ready.head(); run !== undefined && taken < size; run = lane.ready.head()) {
      if (this.host.isSuspect(run)) return;
      sum += bytesOf(run);
      if (bytes !== null && sum > bytes) return;
      if (lane.uses.some(({ limit, units }) => limit !== this && !limit.hasRoom(units))) return;
      lane.ready.pop();
      lane.take();
      taken++;
      yield run;
    }
  }
  explain(): Waiting {
    const first = this.lane.ready.first();
    const until = first === undefined ? "" : `, or ${shownTime(this.#dueAt(first))}`;
    return { for: "its batch", because: `its batch is waiting for ${this.#rule.size} runs${until}` };
  }
  protected override seekRoom(): void {
    const { now, uptime } = this.host.step;
    const first = this.lane.ready.head();
    if (first !== undefined) this.wakeAt(uptime + Math.max(this.#dueAt(first) - now, 0));
  }

  #dueAt(first: LiveRun): number {
    return first.readyAt + this.#rule.intervalMs;
  }
  #isFull(): boolean {
    const { size, bytes } = this.#rule;
    if (bytes === null && !this.lane.ready.mayHold(size)) return false;
    let count = 0;
    let sum = 0;
    for (const run of this.lane.ready.queued()) {
      sum += bytesOf(run);
      if (++count >= size || (bytes !== null && sum >= bytes)) return true;
    }
    return false;
  }
}

const bytesOf = (run: LiveRun): number => laneKeysOf(run)?.keys.bytes ?? 0;
