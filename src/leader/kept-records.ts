// Records that a leader keeps up to date in the bucket, for the next one: the newest of each key is stored if it differs from what is there.
import type { Log } from "../domain/log.ts";
import type { RecordStore } from "../nats/record-store.ts";
import { Records } from "../nats/records.ts";
import type { Term } from "./term.ts";

/** Ten thousand tasks in one registration must not be ten thousand requests at once: the renewal of the lease would wait behind them. */
const storedAtOnce = 16;

export class KeptRecords {
  readonly #records: RecordStore;
  readonly #log: Log;
  /** As JSON, by key: what the bucket has, as far as this engine knows. */
  readonly #stored = new Map<string, string | undefined>();
  /** The newest of each key that has yet to be stored. */
  readonly #waiting = new Map<string, string | undefined>();
  /** One key is not written by two at the same time: the older write could land last. */
  readonly #underWay = new Set<string>();
  readonly #storing = new Set<Promise<void>>();
  readonly #term: () => Term;

  constructor(store: RecordStore, log: Log, term: () => Term) {
    this.#records = store;
    this.#log = log;
    this.#term = term;
  }

  /** All records whose key begins with the prefix. Fails: StoreUnavailable, PermissionDenied */
  async load<T>(prefix: string, is: (record: unknown) => record is T): Promise<readonly T[]> {
    const found = await new Records(this.#records, prefix, is, this.#log).all();
    for (const key of [...this.#stored.keys()]) if (key.startsWith(prefix)) this.#stored.delete(key);
    for (const { key, record } of found) this.#stored.set(key, JSON.stringify(record));
    return found.map(({ record }) => record);
  }

  /** The record of a key. Fails: StoreUnavailable, PermissionDenied */
  async read<T>(key: string, is: (record: unknown) => record is T): Promise<T | undefined> {
    const found = await new Records(this.#records, key, is, this.#log).find();
    this.#stored.set(key, found && JSON.stringify(found.record));
    return found?.record;
  }

  /** Stores or removes a record, retrying while this engine leads. What is left when the term ends is dropped. */
  keep(key: string, record: unknown): void {
    const text = record === undefined ? undefined : JSON.stringify(record);
    if (this.#stored.get(key) === text && !this.#underWay.has(key)) this.#waiting.delete(key);
    else this.#waiting.set(key, text);
    while (this.#storing.size < Math.min(storedAtOnce, this.#waiting.size)) {
      const storing = this.#storeSome().finally(() => this.#storing.delete(storing));
      this.#storing.add(storing);
    }
  }

  /** Resolves when all that was kept so far is stored, or dropped. */
  async settled(): Promise<void> {
    await Promise.all(this.#storing);
  }

  async #storeSome(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [key, text] = next;
      this.#underWay.add(key);
      await this.#store(key, text);
      this.#underWay.delete(key);
    }
  }

  async #store(key: string, text: string | undefined): Promise<void> {
    const term = this.#term();
    const isNewest = () => !this.#waiting.has(key);
    const write = () => (text === undefined ? this.#records.remove(key) : this.#records.put(key, JSON.parse(text)));
    try {
      await term.untilStored(`the record "${key}"`, write, isNewest);
      if (term.isCurrent && isNewest()) this.#stored.set(key, text);
    } catch (error) {
      this.#log.error("a record of the leader cannot be stored", { key, error });
    }
  }

  #next(): [string, string | undefined] | undefined {
    for (const next of this.#waiting) {
      if (this.#underWay.has(next[0])) continue;
      this.#waiting.delete(next[0]);
      return next;
    }
    return undefined;
  }
}
