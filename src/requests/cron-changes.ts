// Changes to schedules by callers and registrations. They are fired by src/reactions/schedules.ts.
import { type CronInfo, type CronRule, parseCron } from "../domain/cron.ts";
import type { CronRecord } from "../domain/cron-record.ts";
import type { Log } from "../domain/log.ts";
import { assertName, listed } from "../domain/names.ts";
import { base64url, type CronStore } from "../leader/cron-store.ts";
import type { Term } from "../leader/term.ts";
import type { Definitions } from "../nats/definitions.ts";
import { readable } from "../nats/stored-records.ts";
import { declaredOver, infoOf, pausedAs } from "../reactions/cron-record.ts";
import type { Schedules } from "../reactions/schedules.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import { isDeclaredCrons } from "../wire/records.ts";
import type { ChangeCron } from "../wire/verbs.ts";
import type { Register } from "../wire/worker-messages.ts";

export interface CronChangesParts {
  readonly definitions: Definitions;
  readonly store: CronStore;
  readonly log: Log;
  /** By the server's clock. Units: epoch milliseconds */
  readonly now: () => number;
  /** As this engine knows them; undefined while it does not lead. */
  readonly crons: () => Schedules | undefined;
  readonly onEvent: (event: SchedulerEvent) => void;
}

/** What the newest process of a worker declared: under `crons-of.<base64url of the worker>`. */
const prefix = "crons-of.";
type Rule = Extract<ChangeCron, { verb: "set" }>["rule"];

/** Few leaders and callers change the same one at the same time. */
const mostTries = 5;

export class CronChanges {
  readonly #parts: CronChangesParts;
  #declared = new Map<string, number>();
  /** Registrations are taken one after the other. */
  #declaring: Promise<unknown> = Promise.resolve();

  constructor(parts: CronChangesParts) {
    this.#parts = parts;
  }

  /** Fails: StoreUnavailable, PermissionDenied */
  async load(): Promise<void> {
    const { definitions, log } = this.#parts;
    const declared = readable(await definitions.readAll(prefix), isDeclaredCrons, log);
    this.#declared = new Map(declared.map(({ key, record }) => [key, record.startedAt]));
  }

  /** Fails: TypeError for schedules declared in code, and for unknown names; StoreUnavailable */
  async change(change: ChangeCron): Promise<CronInfo> {
    if (change.verb === "set") return infoOf(await this.#set(change.rule, change.task));
    if (change.verb === "delete") return infoOf(await this.#delete(change.name));
    const isPaused = change.verb === "pause";
    return infoOf(
      await this.#replace(change.name, (cron) => pausedAs(this.#known(cron, change.name), isPaused, this.#parts.now())),
    );
  }

  async #set({ name, expression, ...rest }: Rule, task: string): Promise<CronRecord> {
    assertName("task", task, `cron ${JSON.stringify(name.slice(0, 64))}`);
    const rule = parseCron(expression, task, { name, ...rest }, "cron");
    return this.#replace(rule.name, (cron) => {
      if (cron?.origin === "code")
        throw new TypeError(
          `cron "${rule.name}" is declared by the code of worker "${cron.worker}"; choose another name`,
        );
      return declaredOver(cron, { rule, task, origin: "api" }, this.#parts.now());
    });
  }

  async #delete(name: string): Promise<CronRecord> {
    const cron = this.#known(this.#recordOf(name), name);
    if (cron.origin === "code")
      throw new TypeError(
        `cron "${name}" is declared by the code of worker "${cron.worker}"; pause it, or remove its @Cron`,
      );
    await this.#remove(name);
    return cron;
  }

  /** The schedules that a worker's code declares: those it no longer declares are removed. */
  declare(message: Register, term: Term): void {
    const { name: worker, startedAt = 0, tasks } = message;
    const key = prefix + base64url(worker);
    // A process of an older version that registers again says nothing new.
    const isNewest = () => startedAt >= (this.#declared.get(key) ?? 0);
    const hasCrons = this.#declared.has(key) || tasks.some(({ crons = [] }) => crons.length > 0);
    if (!hasCrons || !isNewest()) return;
    const { log } = this.#parts;
    // The next registration may be days away: retried until it is stored, or a newer process of the worker declares.
    const declare = () =>
      term.untilStored(`the crons of worker '${worker}'`, () => this.#declare(message, key), isNewest);
    this.#declaring = this.#declaring.then(declare).catch((error: unknown) => {
      log.error("the crons of a worker could not be stored", { worker, error });
    });
  }

  async #declare({ name: worker, startedAt = 0, tasks }: Register, key: string): Promise<void> {
    const names = new Set<string>();
    for (const { name: task, crons = [] } of tasks)
      for (const rule of crons as readonly CronRule[]) {
        names.add(rule.name);
        await this.#declareOne(rule, task, worker);
      }
    for (const { name, origin, worker: of } of this.#parts.crons()?.list() ?? [])
      if (origin === "code" && of === worker && !names.has(name)) await this.#remove(name);
    if (this.#declared.get(key) !== startedAt) await this.#parts.definitions.put(key, { startedAt });
    this.#declared.set(key, startedAt);
  }

  async #declareOne(rule: CronRule, task: string, worker: string): Promise<void> {
    await this.#replace(rule.name, (cron) => {
      if (cron?.origin !== "api") return declaredOver(cron, { rule, task, origin: "code", worker }, this.#parts.now());
      const message = `cron "${rule.name}" of worker '${worker}' has the name of a cron created through the API, which stays in force`;
      this.#parts.log.warn(message, { cron: rule.name, worker });
      return cron;
    });
  }

  /** From what is stored by then, if somebody else has changed it in the meantime. */
  async #replace(name: string, change: (cron: CronRecord | undefined) => CronRecord): Promise<CronRecord> {
    for (let tries = 0; tries < mostTries; tries++) {
      const known = this.#parts.crons()?.get(name);
      const record = change(known?.record);
      if (JSON.stringify(record) === JSON.stringify(known?.record)) return record;
      const { isOurs, there } = await this.#parts.store.write(record, known?.seq ?? 0);
      this.#parts.onEvent({ type: "cronChanged", name, there });
      if (isOurs) return record;
    }
    throw new Error(`cron "${name}" was changed by another engine at the same time; try again`);
  }

  async #remove(name: string): Promise<void> {
    await this.#parts.store.remove(name);
    this.#parts.onEvent({ type: "cronChanged", name, there: undefined });
  }

  #recordOf(name: string): CronRecord | undefined {
    return this.#parts.crons()?.get(name)?.record;
  }

  #known(cron: CronRecord | undefined, name: string): CronRecord {
    if (cron !== undefined) return cron;
    const names = listed((this.#parts.crons()?.list() ?? []).map((one) => one.name));
    throw new TypeError(
      `there is no cron named "${name.slice(0, 64)}"; ${names === "" ? "none exists" : `existing ones: ${names}`}`,
    );
  }
}
