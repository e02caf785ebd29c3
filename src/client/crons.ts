import { type CronInfo, type CronOptions, parseCron } from "../domain/cron.ts";
import { assertName } from "../domain/names.ts";
import type { EngineRequests } from "./engine-requests.ts";

/** The schedules of a namespace. All fail with EngineUnreachable while no engine leads. */
export class Crons {
  readonly #requests: EngineRequests;

  /** @internal */
  constructor(requests: EngineRequests) {
    this.#requests = requests;
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
    return this.#requests.changeCron({ verb: "set", rule, task });
  }

  list(): Promise<readonly CronInfo[]> {
    return this.#requests.crons();
  }

  /** Undefined when there is none of that name. */
  async get(name: string): Promise<CronInfo | undefined> {
    return (await this.list()).find((cron) => cron.name === name);
  }

  /** No ticks until `resume`, whatever restarts; ticks missed during a pause are skipped. Fails: TypeError for an unknown name */
  async pause(name: string): Promise<CronInfo> {
    return this.#requests.changeCron({ verb: "pause", name });
  }

  /** Fails: TypeError for an unknown name */
  async resume(name: string): Promise<CronInfo> {
    return this.#requests.changeCron({ verb: "resume", name });
  }

  /** Fails: TypeError for an unknown name, and for a schedule that a worker's code declares */
  async delete(name: string): Promise<CronInfo> {
    return this.#requests.changeCron({ verb: "delete", name });
  }
}
