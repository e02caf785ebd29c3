// Schedules in the bucket, one record each, under `cron.<base64url of the name>`.
import type { CronRecord, StoredCron } from "../domain/cron-record.ts";
import type { Log } from "../domain/log.ts";
import type { Definitions } from "../nats/definitions.ts";
import { readable } from "../nats/stored-records.ts";
import { isStoredCron } from "../wire/records.ts";

const prefix = "cron.";
export const base64url = (name: string): string => Buffer.from(name).toString("base64url");

/** `there`: what is in its place now; undefined = nothing. */
export interface CronWritten {
  readonly isOurs: boolean;
  readonly there: StoredCron | undefined;
}

export class CronStore {
  readonly #definitions: Definitions;

  readonly #log: Log;

  constructor(definitions: Definitions, log: Log) {
    this.#definitions = definitions;
    this.#log = log;
  }
  /** Fails: StoreUnavailable, PermissionDenied */
  async load(): Promise<readonly StoredCron[]> {
    const found = await this.#definitions.readAll(prefix);
    return readable(found, isStoredCron, this.#log);
  }
  /** Over the record at `seq` (0 = none). Fails: StoreUnavailable, PermissionDenied */
  async write(record: CronRecord, seq: number): Promise<CronWritten> {
    const key = prefix + base64url(record.name);
    const stored = await this.#definitions.replace(key, record, seq);
    if (stored !== undefined) return { isOurs: true, there: { record, seq: stored } };
    const found = await this.#definitions.find(key);
    if (found === undefined) return { isOurs: false, there: undefined };
    if (isStoredCron(found.record)) return { isOurs: false, there: { record: found.record, seq: found.seq } };
    await this.remove(record.name); // nobody can read it: the next try is the first record
    return { isOurs: false, there: undefined };
  }
  remove(name: string): Promise<void> {
    return this.#definitions.remove(prefix + base64url(name));
  }
}
