// Schedules: the leader alone creates the runs of each tick, durably, under an id that the tick decides. It claims the ticks first, by
// compare-and-set on the record of the schedule: a tick that another leader has claimed is not created again, even when its run is forgotten
// by then; one whose leader died between claim and run is created by the next.

import { type CronInfo, type CronRule, dueTicks, nextTick, parseCron } from "../domain/cron.ts";
import { formatDuration } from "../domain/duration.ts";
import type { Log } from "../domain/log.ts";
import { assertName, listed } from "../domain/names.ts";
import { randomToken } from "../domain/random-token.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { Publisher } from "../nats/publisher.ts";
import { readable } from "../nats/stored-records.ts";
import { jsonBytes } from "../wire/bytes.ts";
import type { Register } from "../wire/messages.ts";
import { isDeclaredCrons, isStoredCron, type StoredCron as Stored } from "../wire/records.ts";
import { encodeRunEntry, plainEntry } from "../wire/run-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
import { Lifetime } from "./lifetime.ts";
import { untilStored } from "./term.ts";

export interface CronsParts {
  readonly definitions: Definitions;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  /** By the server's clock. Units: epoch milliseconds */
  readonly now: () => number;
  /** Milliseconds; never jumps. */
  readonly uptime?: () => number;
}

/** What the newest process of a worker declared, under `crons-of.<base64url of the worker>`. */
type Declared = { readonly startedAt: number };
interface Known {
  cron: Stored;
  seq: number;
  isBusy: boolean;
  /** The last claim of this engine's own whose runs are stored. */
  fired?: string;
}

class ChangedMeanwhile extends Error {}

const lookEveryMs = 1_000;
/** A last tick that lies further ahead was written by a clock that was wrong. */
const clockErrorMs = 60_000;
/** A claim that took longer to store may be an old one by now: it is made again. */
const claimHoldsMs = 2_000;
const encoded = (name: string): string => Buffer.from(name).toString("base64url");
const cronKey = (name: string): string => `cron.${encoded(name)}`;
const declaredKey = (worker: string): string => `crons-of.${encoded(worker)}`;

export class Crons {
  readonly #parts: CronsParts;
  readonly #now: () => number;
  #crons = new Map<string, Known>();
  #declared = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Changes are made one after the other. */
  #changing: Promise<unknown> = Promise.resolve();
  /** Grows with every term, so that what an earlier one had begun changes nothing. */
  #term = 0;
  #isOpen = false;
  readonly #uptime: () => number;
  /** No tick that came in it is missed, whoever was to fire it. */
  readonly #life: Lifetime;

  constructor(parts: CronsParts) {
    this.#parts = parts;
    this.#now = parts.now;
    this.#uptime = parts.uptime ?? (() => performance.now());
    this.#life = new Lifetime(this.#now, this.#uptime);
  }

  /** Called all the time, also while this engine stands by: what is due from now on is fired, however long it takes until this engine leads. */
  live(): void {
    this.#life.beat();
  }

  /** Reads what is stored, before this engine leads. Fails: StoreUnavailable */
  async load(): Promise<void> {
    const { definitions, log } = this.#parts;
    const crons = readable(await definitions.readAll("cron."), isStoredCron, log);
    this.#crons = new Map(crons.map(({ record, seq }) => [record.name, { cron: record, seq, isBusy: false }]));
    const declared = readable(await definitions.readAll("crons-of."), isDeclaredCrons, log);
    this.#declared = new Map(declared.map(({ key, record }) => [key, record.startedAt]));
  }

  open(): void {
    this.#isOpen = true;
    this.#term += 1;
    this.#look();
  }

  close(): void {
    this.#isOpen = false;
    this.#term += 1;
    clearTimeout(this.#timer);
  }

  list(): CronInfo[] {
    return [...this.#crons.values()].map(({ cron }) => infoOf(cron)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes or changes a schedule of the API. Fails: TypeError when code declares one of that name; StoreUnavailable */
  async set({ name, expression, timezone, catchUp, input }: CronRule, task: string): Promise<CronInfo> {
    assertName("task", task, `cron ${JSON.stringify(name.slice(0, 64))}`);
    const rule = parseCron(expression, task, { name, timezone, catchUp, input }, "cron");
    return this.#change(async () => {
      const { cron } = this.#crons.get(rule.name) ?? {};
      if (cron?.origin === "code")
        throw new TypeError(
          `cron "${rule.name}" is declared by the code of worker "${cron.worker}"; choose another name`,
        );
      return infoOf(await this.#put({ ...this.#merged(rule, task, cron), origin: "api", ...firingOf(cron) }));
    });
  }

  pause(name: string, paused: boolean): Promise<CronInfo> {
    return this.#change(async () => {
      const { cron } = this.#known(name);
      // What was due meanwhile was not missed.
      const lastTick = paused ? cron.lastTick : Math.max(cron.lastTick, this.#now());
      return infoOf(cron.paused === paused ? cron : await this.#put({ ...cron, paused, lastTick }));
    });
  }

  delete(name: string): Promise<CronInfo> {
    return this.#change(async () => {
      const { cron } = this.#known(name);
      if (cron.origin === "code")
        throw new TypeError(
          `cron "${name}" is declared by the code of worker "${cron.worker}"; pause it, or remove its @Cron`,
        );
      await this.#remove(name);
      return infoOf(cron);
    });
  }

  /** The schedules that a worker's code declares: those that it does not declare any more are gone. */
  declare({ name: worker, startedAt = 0, tasks }: Register): void {
    const declared = tasks.flatMap((task) => (task.crons ?? []).map((rule) => ({ rule, task: task.name })));
    const key = declaredKey(worker);
    if (declared.length === 0 && !this.#declared.has(key)) return;
    // A process of an older version that registers again says nothing new.
    if (startedAt < (this.#declared.get(key) ?? 0)) return;
    const term = this.#term;
    // The next registration may be days away: tried until it is stored, or a newer process of the worker declares.
    const isNewest = () => term === this.#term && startedAt >= (this.#declared.get(key) ?? 0);
    const change = async () => {
      if (!isNewest()) return;
      for (const { rule, task } of declared) await this.#declareOne(rule as CronRule, task, worker);
      const names = new Set(declared.map(({ rule }) => rule.name));
      for (const { cron } of [...this.#crons.values()])
        if (cron.origin === "code" && cron.worker === worker && !names.has(cron.name)) await this.#remove(cron.name);
      if (this.#declared.get(key) !== startedAt)
        await this.#parts.definitions.put(key, { startedAt } satisfies Declared);
      this.#declared.set(key, startedAt);
    };
    const { log } = this.#parts;
    void untilStored({ isCurrent: isNewest }, log, `the crons of worker '${worker}'`, () => this.#change(change)).catch(
      (error) => log.error("the crons of a worker could not be stored", { worker, error }),
    );
  }

  async #declareOne(rule: CronRule, task: string, worker: string): Promise<void> {
    const { cron } = this.#crons.get(rule.name) ?? {};
    if (cron?.origin === "api") {
      const message = `cron "${rule.name}" of worker '${worker}' has the name of a cron created through the API, which stays in force`;
      this.#parts.log.warn(message, { cron: rule.name, worker });
      return;
    }
    const merged: Stored = { ...this.#merged(rule, task, cron), origin: "code", worker };
    const { firing: _, ...known } = cron ?? {};
    if (JSON.stringify(merged) !== JSON.stringify(known)) await this.#put({ ...merged, ...firingOf(cron) });
  }

  /** A schedule that changes begins anew; one that stays keeps its last tick. */
  #merged(rule: CronRule, task: string, before: Stored | undefined): Omit<Stored, "origin" | "worker"> {
    const isSame = before?.expression === rule.expression && before.timezone === rule.timezone;
    const lastTick = isSame ? before.lastTick : Math.max(before?.lastTick ?? 0, this.#now());
    const { name, expression, timezone, catchUp, input } = rule;
    const paused = before?.paused ?? false;
    return { name, expression, timezone, catchUp, ...(input !== undefined && { input }), task, paused, lastTick };
  }

  #known(name: string): Known {
    const known = this.#crons.get(name);
    if (known !== undefined) return known;
    const names = listed([...this.#crons.keys()].sort());
    throw new TypeError(
      `there is no cron named "${name.slice(0, 64)}"; ${names === "" ? "none exists" : `existing ones: ${names}`}`,
    );
  }

  /** Once more from what is stored, where an engine that led before wrote a record late. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const again = (error: unknown) => {
      if (error instanceof ChangedMeanwhile) return change();
      throw error;
    };
    const changed = this.#changing.then(change).catch(again);
    this.#changing = changed.catch(() => {});
    return changed.finally(() => this.#look());
  }

  /** Over what this engine knows; a newer leader's record stays. Fails: StoreUnavailable */
  async #put(cron: Stored): Promise<Stored> {
    const before = this.#crons.get(cron.name);
    const seq = await this.#parts.definitions.replace(cronKey(cron.name), cron, before?.seq ?? 0);
    if (seq === undefined) {
      const there = await this.#parts.definitions.find(cronKey(cron.name));
      if (there === undefined) this.#crons.delete(cron.name);
      else if (isStoredCron(there.record)) this.#know(there.record, there.seq);
      else await this.#remove(cron.name); // nobody can read it: the next try is the first record
      throw new ChangedMeanwhile(`cron "${cron.name}" was changed by another engine at the same time; try again`);
    }
    this.#know(cron, seq);
    return cron;
  }

  /** One object for each schedule as long as this engine leads: whoever fires it holds on to it. */
  #know(cron: Stored, seq: number): void {
    const known = this.#crons.get(cron.name);
    if (known === undefined) this.#crons.set(cron.name, { cron, seq, isBusy: false });
    else Object.assign(known, { cron, seq });
  }

  async #remove(name: string): Promise<void> {
    await this.#parts.definitions.remove(cronKey(name));
    this.#crons.delete(name);
  }

  /** At least once a second, so that a clock that jumps is noticed. */
  #look(): void {
    clearTimeout(this.#timer);
    if (!this.#isOpen || this.#crons.size === 0) return;
    this.live();
    const now = this.#now();
    let next = now + lookEveryMs;
    for (const known of this.#crons.values()) {
      if (known.isBusy) continue;
      try {
        next = Math.min(next, this.#lookAt(known, now));
      } catch (error) {
        known.isBusy = true; // until another engine leads; the others go on
        this.#parts.log.error("a cron cannot be evaluated and is set aside", { cron: known.cron.name, error });
      }
    }
    this.#timer = setTimeout(() => this.#look(), Math.max(next - now, 1));
  }

  /** Does what is due; returns when it is due next, as far as that is known. */
  #lookAt(known: Known, now: number): number {
    const { cron } = known;
    if (isUnfired(known)) void this.#fire(known, now);
    if (isUnfired(known) || cron.paused) return Number.POSITIVE_INFINITY;
    if (cron.lastTick > now + clockErrorMs) {
      void this.#correct(known);
      return Number.POSITIVE_INFINITY;
    }
    const at = nextTick(cron, cron.lastTick) ?? Number.POSITIVE_INFINITY;
    if (at <= now) void this.#fire(known, now);
    return at > now ? at : Number.POSITIVE_INFINITY;
  }

  /** A clock was wrong when its last tick was written: without this the schedule would stand still until then. */
  async #correct(known: Known): Promise<void> {
    const { cron } = known;
    known.isBusy = true;
    try {
      await this.#change(async () => {
        const newest = this.#crons.get(cron.name)?.cron;
        const now = this.#now();
        if (newest === undefined || newest.lastTick <= now + clockErrorMs) return;
        const ahead = formatDuration(newest.lastTick - now);
        const message = `the last tick of cron "${cron.name}" is ${ahead} in the future, so a clock was wrong; the cron continues from now`;
        this.#parts.log.warn(message, { cron: cron.name, lastTick: newest.lastTick });
        await this.#put({ ...newest, lastTick: now });
      });
    } catch (error) {
      this.#parts.log.warn("a cron could not be corrected yet; retrying", { cron: cron.name, error });
    } finally {
      known.isBusy = false;
    }
  }

  async #fire(known: Known, now: number): Promise<void> {
    const { log } = this.#parts;
    const term = this.#term;
    const { name } = known.cron;
    known.isBusy = true;
    let isDone = false;
    try {
      const from = this.#uptime();
      const cron = await this.#change(() => this.#claim(known, now));
      if (cron?.firing === undefined) return;
      // Another leader may have made and fired the same claim since: what it left is claimed by the next look, or by the next leader.
      if (term !== this.#term || this.#uptime() - from > claimHoldsMs) return;
      const { by, ticks } = cron.firing;
      await Promise.all(ticks.map((at) => this.#create(cron, at)));
      known.fired = by;
      if (term === this.#term) await this.#change(() => this.#release(name, by));
      isDone = true;
    } catch (error) {
      if (term === this.#term) log.warn("a cron tick could not be created yet; retrying", { cron: name, error });
    } finally {
      known.isBusy = false;
      if (isDone) this.#look();
    }
  }

  /** Notes what is to be fired now, before it is: who finds another record than it knows has not got these ticks. */
  async #claim(known: Known, now: number): Promise<Stored | undefined> {
    const { cron } = known;
    if (this.#crons.get(cron.name) !== known) return undefined;
    const left = isUnfired(known) ? cron.firing!.ticks : [];
    const due = cron.paused
      ? { fire: [], upTo: cron.lastTick, missed: 0 }
      : dueTicks(cron, cron.lastTick, now, this.#life.since);
    const { fire, upTo, missed } = due;
    if (missed > 0)
      this.#parts.log.warn("a cron missed ticks", {
        cron: cron.name,
        missed,
        catchUp: cron.catchUp,
        made: fire.length,
      });
    const ticks = [...left, ...fire];
    const { firing: _, ...rest } = cron;
    const lastTick = Math.max(cron.lastTick, upTo);
    if (ticks.length === 0 && lastTick === cron.lastTick) return undefined;
    return this.#put({ ...rest, lastTick, ...(ticks.length > 0 && { firing: { by: randomToken(10), ticks } }) });
  }

  /** The runs are stored. Should nobody hear of it, they are found there, as long as they are not forgotten. */
  async #release(name: string, by: string): Promise<void> {
    const cron = this.#crons.get(name)?.cron;
    if (cron?.firing?.by !== by) return;
    const { firing: _, ...rest } = cron;
    await this.#put(rest);
  }

  /** An id that exists is a tick that was fired before. */
  async #create({ name, task, input }: Stored, at: number): Promise<void> {
    const { publisher, subjects } = this.#parts;
    const tick = new Date(at).toISOString();
    const entry = encodeRunEntry({
      ...plainEntry,
      createdAt: this.#now(),
      extra: { metadata: { "natchet.cron": name, "natchet.tick": tick } },
      input: jsonBytes(input),
    });
    await publisher.append(subjects.run(task, `${name}:${tick}`), entry, 0);
  }
}

const firingOf = (cron: Stored | undefined): Pick<Stored, "firing"> =>
  cron?.firing === undefined ? {} : { firing: cron.firing };
/** Claimed, and not known to be stored by this engine. */
const isUnfired = ({ cron, fired }: Known): boolean => cron.firing !== undefined && cron.firing.by !== fired;

function infoOf({ paused, firing: _, ...cron }: Stored): CronInfo {
  const next = paused ? undefined : nextTick(cron, cron.lastTick);
  return { ...cron, paused, ...(next !== undefined && { nextTick: next }) };
}
