// A schedule as it is stored.
import type { CronOrigin, CronRule } from "./cron.ts";

/** Under `cron.<base64url of the name>` in the bucket. Units: epoch milliseconds */
export interface CronRecord extends CronRule {
  readonly task: string;
  readonly origin: CronOrigin;
  readonly worker?: string;
  readonly paused: boolean;
  /** Ticks up to here are claimed. */
  readonly lastTick: number;
  /** Claimed ticks whose runs may not be stored yet, and by which claim. */
  readonly firing?: { readonly by: string; readonly ticks: readonly number[] };
}

/** A record, and where it stands in the bucket. */
export interface StoredCron {
  readonly record: CronRecord;
  readonly seq: number;
}
