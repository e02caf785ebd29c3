// scheduler/: all decisions together. Imports the rooms that decide; no I/O, no clock and no randomness: `step` gets the time.
import type { KeyIndex } from "../collections/key-index.ts";
import { noPauses } from "../domain/pauses.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import { Fold } from "../fold/fold.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { HouseOptions } from "../housekeeping/house.ts";
import type { Cancelled } from "../matching/matching.ts";
import { machinePace, type Pace, Step } from "../matching/step.ts";
import { isHolding } from "../matching/unseen/unheard.ts";
import type { WorkerRecord } from "../matching/workers.ts";
import type { LeadEvent } from "../presence/takeover.ts";
import type { Briefing } from "./briefing.ts";
import { Faults } from "./faults.ts";
import { Leadership } from "./leadership.ts";

/** Units: milliseconds, unless said otherwise */
export interface SchedulerOptions {
  /** Finished runs to keep. @default 100_000 */
  readonly keepCount?: number | undefined;
  /** How long to keep finished runs. @default 24 hours */
  readonly keepMs?: number | undefined;
  /** Garbage entries of a task before a purge is worth a request. @default 1_000 */
  readonly garbageBatch?: number | undefined;
  /** Forgotten entries behind one that must stay before that is moved: fewer are purged one by one. @default 100 */
  readonly singlePurges?: number | undefined;
  /** A new leader purges nothing for this long, so that the previous leader's writes have landed or died. @default 10_000 */
  readonly housekeepingDelayMs?: number | undefined;
  /** Attempts that may be lost with their worker before the run fails. @default 10 */
  readonly lostLimit?: number | undefined;
  /** Memory for the inputs of live runs; others are read back from the log. Units: bytes. @default 64 MiB */
  readonly inputBudgetBytes?: number | undefined;
  /** Seed of the hashes in this engine's tables. @default 0 */
  readonly hashSeed?: number | undefined;
  /** How time is expected to pass. @default the pace of real machines */
  readonly pace?: Pace | undefined;
}

const nobody: ReadonlyMap<string, WorkerRecord> = new Map();

/** Everything an engine knows: a fold of the log and, while it leads, what a leader knows besides. Changed by `step` only. */
export class Scheduler {
  readonly fold: Fold;
  readonly step: Step;
  briefing: Briefing = {
    ...{ pauses: noPauses, definitions: [], failures: { handlers: [], upTo: 0 } },
    ...{ crons: [], rates: [], erasedUpTo: 0 },
  };
  /** When the rate limits of the briefing were read, on the scheduler's own clock. */
  #ratesReadAt = 0;
  /** How many runs this engine has cancelled while it led; counted across terms. */
  readonly cancelled: Cancelled = new Map();
  /** Undefined on a standby. */
  leadership: Leadership | undefined = undefined;
  /** The epoch in which it leads, or led last. */
  epoch = 0;
  readonly #houseOptions: HouseOptions;
  readonly #lostLimit: number;
  readonly faults: Faults;

  constructor(options: SchedulerOptions, faults: Faults) {
    this.faults = faults;
    this.step = new Step(options.pace ?? machinePace);
    this.fold = new Fold(options.inputBudgetBytes ?? 64 * 1024 * 1024, options.hashSeed);
    this.#lostLimit = options.lostLimit ?? 10;
    this.#houseOptions = {
      keepCount: options.keepCount ?? 100_000,
      keepMs: options.keepMs ?? 86_400_000,
      garbageBatch: options.garbageBatch ?? 1_000,
      singlePurges: options.singlePurges ?? 100,
      housekeepingDelayMs: options.housekeepingDelayMs ?? 10_000,
    };
  }
  get isLeading(): boolean {
    return this.leadership !== undefined;
  }
  get position(): number {
    return this.fold.position;
  }
  get live(): KeyIndex<LiveRun> {
    return this.fold.live;
  }
  get finished(): KeyIndex<FinishedRun> {
    return this.fold.finished;
  }
  /** Whether it leads but dispatches nothing yet, because workers have not reported what they execute. */
  get isHolding(): boolean {
    return this.leadership !== undefined && isHolding(this.leadership.matching);
  }
  /** The known workers; none on a standby. */
  get workers(): ReadonlyMap<string, WorkerRecord> {
    return this.leadership?.matching.workers ?? nobody;
  }

  brief(briefing: Partial<Briefing>): void {
    if (briefing.rates !== undefined) this.#ratesReadAt = this.step.uptime;
    this.briefing = { ...this.briefing, ...briefing };
  }
  /** Builds everything a leader knows from the fold, the bucket, and what the previous leader left. */
  lead(event: LeadEvent): void {
    this.stepDown();
    this.epoch = event.epoch;
    const { fold, step, briefing, cancelled, faults } = this;
    const parts = {
      ...{ fold, step, briefing, cancelled, faults, ratesReadAt: this.#ratesReadAt },
      ...{ lostLimit: this.#lostLimit, house: this.#houseOptions },
    };
    this.leadership = new Leadership(parts, event);
  }
  /** Discards what only a leader knows; the fold remains, as on a standby. */
  stepDown(): void {
    if (this.leadership === undefined) return;
    const { fold } = this;
    this.leadership = undefined;
    fold.listener = undefined;
    for (const log of fold.tasks.values()) log.attached = undefined;
    for (const run of fold.live.values()) run.detach();
  }
}

/** A standby scheduler that has folded nothing yet. `faults`: what earlier schedulers of this engine have set aside. */
export const createScheduler = (options: SchedulerOptions = {}, faults = new Faults()): Scheduler =>
  new Scheduler(options, faults);
