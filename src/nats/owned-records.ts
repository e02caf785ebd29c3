// Records of the bucket that belong to the leader: written only over what this engine has read, so that one that no longer leads
// writes nothing. What the previous leader wrote after that is found, and a newer leader's record stays.
import type { Log } from "../domain/log.ts";
import type { Definitions } from "./definitions.ts";
import { readable, readRecord } from "./stored-records.ts";

/** Of the leader that wrote it. */
export interface Owned {
  readonly epoch: number;
}
interface Written<R> {
  /** What the previous leader stored after this one had begun. */
  readonly found?: R | undefined;
}

export class OwnedRecords<R extends Owned> {
  readonly #definitions: Definitions;
  /** The sequence of each record that this engine knows. */
  readonly #seqs = new Map<string, number>();

  readonly #is: (record: unknown) => record is R;
  readonly #log: Log;

  constructor(definitions: Definitions, is: (record: unknown) => record is R, log: Log) {
    this.#definitions = definitions;
    this.#is = is;
    this.#log = log;
  }

  /** Fails: StoreUnavailable, PermissionDenied */
  async load(key: string): Promise<R | undefined> {
    const { record, seq } = await readRecord(this.#definitions, key, this.#is, this.#log);
    this.#seqs.set(key, seq);
    return record;
  }
  /** Fails: StoreUnavailable, PermissionDenied */
  async loadAll(prefix: string): Promise<readonly R[]> {
    const stored = await this.#definitions.readAll(prefix);
    this.#seqs.clear();
    for (const { key, seq } of stored) this.#seqs.set(key, seq);
    return readable(stored, this.#is, this.#log).map(({ record }) => record);
  }
  /** `recordOver`: what to write over the previous leader's. Undefined if a newer leader has written. Fails: StoreUnavailable, PermissionDenied */
  async write(key: string, epoch: number, recordOver: (found: R | undefined) => R): Promise<Written<R> | undefined> {
    let found: R | undefined;
    for (;;) {
      const seq = await this.#definitions.replace(key, recordOver(found), this.#seqs.get(key) ?? 0);
      if (seq !== undefined) {
        this.#seqs.set(key, seq);
        return found === undefined ? {} : { found };
      }
      found = await this.load(key);
      if (found !== undefined && found.epoch > epoch) return undefined;
      if (found?.epoch === epoch) found = undefined; // an earlier write of this engine, included in what it writes now
    }
  }
  async drop(key: string): Promise<void> {
    this.#seqs.delete(key);
    await this.#definitions.remove(key);
  }
}
