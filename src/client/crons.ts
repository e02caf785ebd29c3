// The schedules of a namespace, as callers see and change them.
import { type CronInfo, type CronOptions, type CronRule, parseCron } from "../domain/cron.ts";
import { assertName } from "../domain/names.ts";
import { openInput, sealedInput } from "../sealing/sealed.ts";
import type { Vault } from "../sealing/vault.ts";
import { jsonBytes } from "../wire/bytes.ts";
import type { ChangeCron } from "../wire/verbs.ts";
import type { EngineRequests } from "./asking/engine-requests.ts";
import { deadlineOf } from "./asking/patience.ts";

/** The schedules of a namespace. All fail with EngineUnreachable while no engine leads. */
export class Crons {
  readonly #requests: EngineRequests;
  readonly #vault: Vault | undefined;

  /** @internal */
  constructor(requests: EngineRequests, vault: Vault | undefined) {
    this.#requests = requests;
    this.#vault = vault;
  }

  /**
   * Creates a schedule, or changes the one with that name, from now on. It stays until it is deleted.
   *
   * Fails: TypeError for an invalid schedule, time zone or name, and for the name of a schedule that a worker's code declares
   * @example
   * ```ts
   * await natchet.crons.set("nightly", { task: "report", cron: "0 3 * * *", timezone: "Europe/Berlin" })
   * ```
   */
  async set(
    name: string,
    { task, cron, ...options }: Omit<CronOptions, "name"> & { readonly task: string; readonly cron: string },
  ): Promise<CronInfo> {
    const where = `cron "${name}"`;
    const rule = parseCron(cron, assertName("task", task, where), { ...options, name }, where);
    return this.#change({ verb: "set", rule: this.#sealed(rule, task), task });
  }

  async list(): Promise<readonly CronInfo[]> {
    const all = await this.#requests.all("crons", ({ crons }) => crons, deadlineOf());
    return Promise.all(all.map((cron) => this.#opened(cron)));
  }

  /** Undefined when there is no schedule of that name. */
  async get(name: string): Promise<CronInfo | undefined> {
    return (await this.list()).find((cron) => cron.name === name);
  }

  /** Stops a schedule until `resume`, whatever restarts. Ticks missed during a pause are skipped. Fails: TypeError for an unknown name */
  pause(name: string): Promise<CronInfo> {
    return this.#change({ verb: "pause", name });
  }

  /** Fails: TypeError for an unknown name */
  resume(name: string): Promise<CronInfo> {
    return this.#change({ verb: "resume", name });
  }

  /** Fails: TypeError for an unknown name, and for a schedule that a worker's code declares */
  delete(name: string): Promise<CronInfo> {
    return this.#change({ verb: "delete", name });
  }

  async #change(change: ChangeCron): Promise<CronInfo> {
    return this.#opened(await this.#requests.ask("cron", change, deadlineOf()));
  }

  #sealed(rule: CronRule, task: string): CronRule {
    if (this.#vault === undefined || rule.input === undefined) return rule;
    return { ...rule, input: sealedInput(this.#vault, task, { value: rule.input, json: jsonBytes(rule.input) }) };
  }

  /** Opens the input of a schedule. Without keys it stays as it is. */
  async #opened(cron: CronInfo): Promise<CronInfo> {
    if (this.#vault === undefined || cron.input === undefined) return cron;
    return { ...cron, input: await openInput(this.#vault, cron.task, `cron "${cron.name}"`, cron.input) };
  }
}
