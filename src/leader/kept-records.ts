// Records that a leader keeps up to date in the bucket, for the next one: the newest of each key is stored if it differs from what is there.
import type { Log } from "../domain/log.ts";
import type { RecordStore } from "../nats/record-store.ts";
import { Records } from "../nats/records.ts";
import type { Term } from "./term.ts";

/** Ten thousand tasks in one registration must not be ten thousand requests at once: the renewal of the lease would wait behind them. */
const storedAtOnce = 16;

/** What the bucket has of a key, as JSON, and where; 0 = nothing. */
interface Stored {
  readonly text: string | undefined;
  readonly seq: number;
}

/** Those of one term. */
export class KeptRecords {
  readonly #records: RecordStore;
  readonly #log: Log;
  readonly #term: Term;
  readonly #holdsLease: () => boolean;
  /** By key, as far as this engine knows. */
  readonly #stored = new Map<string, Stored>();
  /** The newest of each key that has yet to be stored. */
  readonly #waiting = new Map<string, string | undefined>();
  /** One key is not written by two at the same time: the older write could land last. */
  readonly #underWay = new Set<string>();
  readonly #storing = new Set<Promise<void>>();

  constructor(store: RecordStore, log: Log, term: Term, holdsLease: () => boolean) {
    this.#records = store;
    this.#log = log;
    this.#term = term;
    this.#holdsLease = holdsLease;
  }

  /** All records whose key begins with the prefix. Fails: StoreUnavailable, PermissionDenied */
  async load<T>(prefix: string, is: (record: unknown) => record is T): Promise<readonly T[]> {
    const found = await new Records(this.#records, prefix, is, this.#log).all();
    for (const { key, record, seq } of found) this.#stored.set(key, { text: JSON.stringify(record), seq });
    return found.map(({ record }) => record);
  }

  /**
   * The record of a key. It is stored anew once, even if it is the same: from then on no write of an earlier leader that hangs can replace it.
   * Fails: StoreUnavailable, PermissionDenied
   */
  async read<T>(key: string, is: (record: unknown) => record is T): Promise<T | undefined> {
    const found = await new Records(this.#records, key, is, this.#log).find();
    if (found !== undefined) this.#stored.set(key, { text: "", seq: found.seq });
    return found?.record;
  }

  /** Stores or removes a record, retrying while this engine leads. What is left when the term ends is dropped. */
  keep(key: string, record: unknown): void {
    const text = record === undefined ? undefined : JSON.stringify(record);
    if (this.#stored.get(key)?.text === text && !this.#underWay.has(key)) this.#waiting.delete(key);
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
    const { seq = 0 } = this.#stored.get(key) ?? {};
    const write = () =>
      text === undefined
        ? this.#records.remove(key, seq).then(() => 0)
        : this.#records.put(key, JSON.parse(text), this.#holdsLease, seq);
    try {
      const stored = await this.#term.untilStored(`the record "${key}"`, write, () => !this.#waiting.has(key));
      if (stored !== undefined) this.#stored.set(key, { text, seq: stored });
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
