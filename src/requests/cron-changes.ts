// Changes to schedules, made by callers and by registrations. What fires the schedules is src/reactions/schedules.ts.
import { type CronInfo, type CronRule, parseCron } from "../domain/cron.ts";
import type { CronRecord } from "../domain/cron-record.ts";
import { assertName, listed } from "../domain/names.ts";
import type { Leader } from "../leader/leader.ts";
import { declaredOver, infoOf, pausedAs } from "../reactions/cron-record.ts";
import type { Schedules } from "../reactions/schedules.ts";
import type { ChangeCron } from "../wire/verbs.ts";
import type { Register } from "../wire/worker-messages.ts";

type CronLeader = Pick<Leader, "bucket" | "state" | "term" | "log" | "now" | "handle" | "holdsLease">;
type Rule = Extract<ChangeCron, { verb: "set" }>["rule"];

/** Each try fails only if somebody else changes the same schedule at the same moment. */
const mostTries = 5;

export class CronChanges {
  readonly #leader: CronLeader;
  /** When the newest process of a worker started, by the worker's name. */
  #declared = new Map<string, number>();
  /** The declarations of registrations are stored one after the other. */
  #declaring: Promise<unknown> = Promise.resolve();

  constructor(leader: CronLeader) {
    this.#leader = leader;
  }

  /** The schedules as this engine knows them; undefined while it does not lead. */
  get #crons(): Schedules | undefined {
    return this.#leader.state.leadership?.crons;
  }

  /** Reads when the newest processes started that declared schedules. Fails: StoreUnavailable, PermissionDenied */
  async load(): Promise<void> {
    const { declaredCrons } = this.#leader.bucket;
    const declared = await declaredCrons.all();
    this.#declared = new Map(declared.map(({ key, record }) => [declaredCrons.nameOf(key), record.startedAt]));
  }

  /** Fails: TypeError for schedules declared in code, and for unknown names; StoreUnavailable */
  async change(change: ChangeCron): Promise<CronInfo> {
    return infoOf(await this.#change(change));
  }

  #change(change: ChangeCron): Promise<CronRecord> {
    if (change.verb === "set") return this.#set(change.rule, change.task);
    const { verb, name } = change;
    if (verb === "delete") return this.#delete(name);
    return this.#replace(name, (cron) => pausedAs(this.#known(cron, name), verb === "pause", this.#leader.now()));
  }

  async #set({ name, expression, ...rest }: Rule, task: string): Promise<CronRecord> {
    assertName("task", task, `cron ${JSON.stringify(name.slice(0, 64))}`);
    const rule = parseCron(expression, task, { name, ...rest }, "cron");
    return this.#replace(rule.name, (cron) => {
      if (cron?.origin === "code")
        throw new TypeError(
          `cron "${rule.name}" is declared by the code of worker "${cron.worker}"; choose another name`,
        );
      return declaredOver(cron, { rule, task, origin: "api" }, this.#leader.now());
    });
  }

  async #delete(name: string): Promise<CronRecord> {
    const cron = this.#known(this.#crons?.get(name)?.record, name);
    if (cron.origin === "code")
      throw new TypeError(
        `cron "${name}" is declared by the code of worker "${cron.worker}"; pause it, or remove its @Cron`,
      );
    await this.#remove(name);
    return cron;
  }

  /** Stores the schedules that a worker's code declares, and removes those that it no longer declares. */
  declare(message: Register): void {
    const { name: worker, startedAt = 0, tasks } = message;
    // What an older process of the worker declares does not count, even if it registers again.
    const isNewest = () => startedAt >= (this.#declared.get(worker) ?? 0);
    const hasCrons = this.#declared.has(worker) || tasks.some(({ crons = [] }) => crons.length > 0);
    if (!hasCrons || !isNewest()) return;
    const { log, term } = this.#leader;
    // Retried until it is stored, or until a newer process of the worker declares: the next registration may be days away.
    const declare = () => term.untilStored(`the crons of worker '${worker}'`, () => this.#declare(message), isNewest);
    this.#declaring = this.#declaring.then(declare).catch((error: unknown) => {
      log.error("the crons of a worker could not be stored", { worker, error });
    });
  }

  async #declare({ name: worker, startedAt = 0, tasks }: Register): Promise<void> {
    const names = new Set<string>();
    for (const { name: task, crons = [] } of tasks)
      for (const rule of crons as readonly CronRule[]) {
        names.add(rule.name);
        await this.#declareOne(rule, task, worker);
      }
    for (const { name, origin, worker: of } of this.#crons?.list() ?? [])
      if (origin === "code" && of === worker && !names.has(name)) await this.#remove(name);
    const { declaredCrons } = this.#leader.bucket;
    if (this.#declared.get(worker) !== startedAt)
      await declaredCrons.put({ startedAt }, this.#leader.holdsLease, worker);
    this.#declared.set(worker, startedAt);
  }

  async #declareOne(rule: CronRule, task: string, worker: string): Promise<void> {
    await this.#replace(rule.name, (cron) => {
      if (cron?.origin !== "api") return declaredOver(cron, { rule, task, origin: "code", worker }, this.#leader.now());
      const message = `cron "${rule.name}" of worker '${worker}' has the name of a cron created through the API, which stays in force`;
      this.#leader.log.warn(message, { cron: rule.name, worker });
      return cron;
    });
  }

  /** Changes a schedule. If somebody else has changed it meanwhile, the change is made again to what is stored by then. */
  async #replace(name: string, change: (cron: CronRecord | undefined) => CronRecord): Promise<CronRecord> {
    for (let tries = 0; tries < mostTries; tries++) {
      const known = this.#crons?.get(name);
      const record = change(known?.record);
      if (JSON.stringify(record) === JSON.stringify(known?.record)) return record;
      const { isOurs, there } = await this.#leader.bucket.crons.write(record, known?.seq ?? 0, name);
      this.#leader.handle({ type: "cronChanged", name, there });
      if (isOurs) return record;
    }
    throw new Error(`cron "${name}" was changed by another engine at the same time; try again`);
  }

  async #remove(name: string): Promise<void> {
    await this.#leader.bucket.crons.remove(name);
    this.#leader.handle({ type: "cronChanged", name, there: undefined });
  }

  #known(cron: CronRecord | undefined, name: string): CronRecord {
    if (cron !== undefined) return cron;
    const names = listed((this.#crons?.list() ?? []).map((one) => one.name));
    throw new TypeError(
      `there is no cron named "${name.slice(0, 64)}"; ${names === "" ? "none exists" : `existing ones: ${names}`}`,
    );
  }
}
