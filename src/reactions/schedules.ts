// Schedules: each tick is one run, whose id follows from the tick. A leader first claims ticks, by compare-and-set on the record of the schedule,
// which is its cursor. So the run of a tick that another leader has claimed is not created again, even if it is forgotten by then; and if that
// leader died between the claim and the run, the next one creates it. Therefore the run of a claimed tick is kept until the claim is released.
import { type CronInfo, nextTick } from "../domain/cron.ts";
import type { CronRecord, StoredCron } from "../domain/cron-record.ts";
import { formatDuration } from "../domain/duration.ts";
import type { TickCause } from "../domain/reaction.ts";
import { keyOf } from "../domain/run.ts";
import type { Fold } from "../fold/fold.ts";
import type { Step } from "../matching/step.ts";
import { claimed, clockErrorMs, infoOf, released } from "./cron-record.ts";
import type { ReactionSource, Reactions } from "./reactions.ts";

const lookEveryMs = 1_000;
/** A claim that took longer to be stored may have been found and fired by another leader: the ticks are claimed again. */
const claimHoldsMs = 2_000;
/** Stands in `askedAt` for a schedule that is set aside. */
const asideAt = Number.POSITIVE_INFINITY;

const tickId = (cron: string, at: number): string => `${cron}:${new Date(at).toISOString()}`;

/** A record was written, or not. `there`: what is in its place now; undefined = nothing. */
export interface CronWrittenEvent {
  readonly type: "cronWritten";
  readonly name: string;
  readonly isOurs: boolean;
  readonly there: StoredCron | undefined;
}

class Schedule {
  record: CronRecord;
  seq: number;
  /** The next tick; undefined until the schedule is looked at. Units: epoch milliseconds; Infinity = never */
  nextAt: number | undefined = undefined;
  /** When this engine began a write that is still in flight. Units: milliseconds of the step's uptime */
  askedAt: number | undefined = undefined;
  /** This engine's last claim, and the last one whose runs are stored. */
  claim = "";
  fired = "";
  /** How many runs of the claim are not stored yet. */
  open = 0;

  constructor({ record, seq }: StoredCron) {
    this.record = record;
    this.seq = seq;
  }
  get isBusy(): boolean {
    return this.askedAt !== undefined || this.open > 0;
  }
  /** Whether ticks are claimed whose runs are not known to be stored. */
  get isUnfired(): boolean {
    const { firing } = this.record;
    return firing !== undefined && firing.by !== this.fired;
  }
  become({ record, seq }: StoredCron): void {
    if (seq < this.seq) return; // an answer that was overtaken
    this.record = record;
    this.seq = seq;
    this.nextAt = undefined;
  }
}

/** Created when this engine begins to lead, discarded when it stops. */
export class Schedules implements ReactionSource {
  readonly #fold: Fold;
  readonly #step: Step;
  readonly #reactions: Reactions;
  readonly #epoch: number;
  readonly #schedules: Map<string, Schedule>;
  #claims = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** 0 = look at once. */
  #nextAt = 0;

  constructor(fold: Fold, step: Step, reactions: Reactions, epoch: number, stored: readonly StoredCron[]) {
    this.#fold = fold;
    this.#step = step;
    this.#reactions = reactions;
    this.#epoch = epoch;
    this.#schedules = new Map(stored.map((one) => [one.record.name, new Schedule(one)]));
  }
  /** When the next schedule is due, as of the last look. Units: epoch milliseconds */
  get nextAt(): number {
    return this.#schedules.size === 0 ? Number.POSITIVE_INFINITY : this.#nextAt;
  }
  list(): CronInfo[] {
    return Array.from(this.#schedules.values(), ({ record }) => infoOf(record)).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }
  get(name: string): StoredCron | undefined {
    return this.#schedules.get(name);
  }
  /** Claims what is due. Looks at least once a second, so that a clock that jumps is noticed. `livesSince`: ticks due since then were not missed. */
  look(livesSince: number | undefined): void {
    const { now, uptime } = this.#step;
    if (this.#schedules.size === 0 || (now < this.#nextAt && uptime - this.#lookedAt < lookEveryMs)) return;
    this.#lookedAt = uptime;
    this.#nextAt = Number.POSITIVE_INFINITY;
    for (const schedule of this.#schedules.values()) {
      if (!schedule.isBusy) this.#tryLook(schedule, livesSince);
      if (!schedule.isBusy) this.#nextAt = Math.min(this.#nextAt, schedule.nextAt ?? 0);
    }
  }
  /** Somebody has changed or removed a schedule. */
  changed(name: string, there: StoredCron | undefined): void {
    const schedule = this.#schedules.get(name);
    if (there === undefined) this.#schedules.delete(name);
    else if (schedule === undefined) this.#schedules.set(name, new Schedule(there));
    else schedule.become(there);
    this.#nextAt = 0;
  }
  written({ name, isOurs, there }: CronWrittenEvent): void {
    const schedule = this.#schedules.get(name);
    if (schedule?.askedAt === undefined) return;
    const isLate = this.#step.uptime - schedule.askedAt > claimHoldsMs;
    const isRefused = !isOurs && there?.seq === schedule.seq;
    schedule.askedAt = undefined;
    if (!isRefused) this.changed(name, there); // otherwise it is checked again in a second
    if (isOurs && !isLate && schedule.record.firing?.by === schedule.claim) this.#fire(schedule);
  }
  /** Whether retention may forget the log up to `upTo`. Not if that is the run of a claimed tick: the next leader would create it again. */
  mayForget(upTo: number): boolean {
    const { finished } = this.#fold;
    let may = true;
    for (const schedule of this.#schedules.values()) {
      const { task, name, firing } = schedule.record;
      const isAtRisk = (at: number) =>
        (finished.get(keyOf(task, tickId(name, at)))?.seq ?? Number.POSITIVE_INFINITY) <= upTo;
      const made = firing?.ticks.filter(isAtRisk) ?? [];
      if (made.length === 0) continue;
      may = false;
      if (schedule.askedAt === asideAt) this.#write(schedule, released(schedule.record, made)); // nobody else will
    }
    return may;
  }

  /** Looks at a schedule. One that cannot be evaluated is set aside until another engine leads; the others go on. */
  #tryLook(schedule: Schedule, livesSince: number | undefined): void {
    try {
      this.#lookAt(schedule, livesSince);
    } catch (error) {
      schedule.askedAt = asideAt;
      const fields = { cron: schedule.record.name, error };
      this.#log("error", "a cron cannot be evaluated and is set aside", fields);
    }
  }
  #lookAt(schedule: Schedule, livesSince: number | undefined): void {
    const { now } = this.#step;
    const { record, fired, isUnfired } = schedule;
    const next = record.paused ? undefined : (schedule.nextAt ?? nextTick(record, record.lastTick));
    const nextAt = next ?? Number.POSITIVE_INFINITY;
    schedule.nextAt = nextAt;
    if (isUnfired || nextAt <= now) this.#claim(schedule, livesSince);
    else if (record.firing !== undefined && record.firing.by === fired) this.#write(schedule, released(record));
    else if (!record.paused && record.lastTick > now + clockErrorMs) this.#correct(schedule);
  }
  #claim(schedule: Schedule, livesSince: number | undefined): void {
    const { record, isUnfired } = schedule;
    const by = `${this.#epoch}-${++this.#claims}`;
    const left = isUnfired ? record.firing!.ticks : [];
    const claim = claimed(record, { by, left, now: this.#step.now, livesSince });
    if (claim === undefined) return;
    const { missed, fired: made } = claim;
    if (missed > 0)
      this.#log("warn", "a cron missed ticks", { cron: record.name, missed, catchUp: record.catchUp, made });
    schedule.claim = by;
    this.#write(schedule, claim.record);
  }
  /** A clock was wrong when the last tick was written: without a correction the schedule would stand still until then. */
  #correct(schedule: Schedule): void {
    const { name, lastTick } = schedule.record;
    const { now } = this.#step;
    const message = `the last tick of cron "${name}" is ${formatDuration(lastTick - now)} in the future, so a clock was wrong; the cron continues from now`;
    this.#log("warn", message, { cron: name, lastTick });
    this.#write(schedule, { ...schedule.record, lastTick: now });
  }
  #write(schedule: Schedule, record: CronRecord): void {
    schedule.askedAt = this.#step.uptime;
    const over = { record: schedule.record, seq: schedule.seq };
    this.#step.commands.push({ type: "storeCron", record, over });
  }
  #fire(schedule: Schedule): void {
    const { task, name, input, firing } = schedule.record;
    schedule.open += firing!.ticks.length;
    for (const at of firing!.ticks) {
      const cause: TickCause = { type: "tick", cron: name, at, input };
      this.#reactions.owe({ task, id: tickId(name, at), cause }, () => this.#fired(schedule));
    }
  }
  /** One more run of the claim is stored. */
  #fired(schedule: Schedule): void {
    if (--schedule.open > 0) return;
    schedule.fired = schedule.claim;
    this.#nextAt = 0;
  }
  #log(level: "warn" | "error", message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#step.commands.push({ type: "log", level, message, fields });
  }
}
