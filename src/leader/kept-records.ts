// Records that a leader keeps up to date in the bucket, for the next one: the newest of each key is stored if it differs from what is there.
import type { Log } from "../domain/log.ts";
import type { RecordStore } from "../nats/record-store.ts";
import { Records } from "../nats/records.ts";
import type { Term } from "./term.ts";

/** A registration may bring ten thousand tasks. They must not become as many requests at once: the renewal of the lease would wait behind them. */
const storedAtOnce = 16;

/** What the bucket has under a key, as JSON, and its sequence; 0 if there is nothing. */
interface Stored {
  readonly text: string | undefined;
  readonly seq: number;
}

/** The kept records of one term. */
export class KeptRecords {
  readonly #records: RecordStore;
  readonly #log: Log;
  readonly #term: Term;
  readonly #holdsLease: () => boolean;
  /** What is stored under each key, as far as this engine knows. */
  readonly #stored = new Map<string, Stored>();
  /** The newest record of each key that is not stored yet; undefined if it is to be removed. */
  readonly #waiting = new Map<string, string | undefined>();
  /** Keys that are being written. No key is written twice at the same time: the older write could land last. */
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
   * The record of a key. The first `keep` stores it anew even if it is the same: from then on, a late write of an earlier leader cannot replace it.
   * Fails: StoreUnavailable, PermissionDenied
   */
  async read<T>(key: string, is: (record: unknown) => record is T): Promise<T | undefined> {
    const found = await new Records(this.#records, key, is, this.#log).find();
    if (found !== undefined) this.#stored.set(key, { text: "", seq: found.seq });
    return found?.record;
  }

  /** Stores a record, or removes one that is undefined; retries while this engine leads. What is not stored when the term ends is dropped. */
  keep(key: string, record: unknown): void {
    const text = record === undefined ? undefined : JSON.stringify(record);
    if (this.#stored.get(key)?.text === text && !this.#underWay.has(key)) this.#waiting.delete(key);
    else this.#waiting.set(key, text);
    while (this.#storing.size < Math.min(storedAtOnce, this.#waiting.size)) {
      const storing = this.#storeSome().finally(() => this.#storing.delete(storing));
      this.#storing.add(storing);
    }
  }

  /** Resolves when everything kept so far is stored or dropped. */
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
