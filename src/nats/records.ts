// The records of one kind in the bucket, as a leader reads and writes them. Malformed ones are logged, and count as missing.
import type { Log } from "../domain/log.ts";
import type { RecordStore } from "./record-store.ts";

export interface FoundRecord<R> {
  readonly record: R;
  readonly seq: number;
}
/** `there`: what is in its place now; undefined = nothing. */
export interface RecordWritten<R> {
  readonly isOurs: boolean;
  readonly there: FoundRecord<R> | undefined;
}

/** One record under a key, or many under its prefix, each with a name of any characters. */
export class Records<R> {
  readonly #store: RecordStore;
  readonly #prefix: string;
  readonly #is: (record: unknown) => record is R;
  readonly #log: Log;

  constructor(store: RecordStore, prefix: string, is: (record: unknown) => record is R, log: Log) {
    this.#store = store;
    this.#prefix = prefix;
    this.#is = is;
    this.#log = log;
  }

  /** Fails: StoreUnavailable, PermissionDenied, like all methods here */
  async all(): Promise<readonly (FoundRecord<R> & { readonly key: string })[]> {
    const found = await this.#store.readAll(this.#prefix);
    return found.flatMap(({ key, record, seq }) => (this.#canRead(key, record) ? [{ key, record, seq }] : []));
  }

  async find(name = ""): Promise<FoundRecord<R> | undefined> {
    const key = this.#keyOf(name);
    const { record, seq = 0 } = (await this.#store.find(key)) ?? {};
    return seq > 0 && this.#canRead(key, record) ? { record, seq } : undefined;
  }

  /** Stores a record over whatever is there; undefined once `maySend` forbids it. */
  put(record: R, maySend: () => boolean, name = ""): Promise<number | undefined> {
    return this.#store.put(this.#keyOf(name), record, maySend);
  }

  /** Stores a record over the one at `seq`; 0 = none. */
  async write(record: R, seq: number, name = ""): Promise<RecordWritten<R>> {
    const key = this.#keyOf(name);
    const stored = await this.#store.replace(key, record, seq);
    if (stored !== undefined) return { isOurs: true, there: { record, seq: stored } };
    const { record: there, seq: at = 0 } = (await this.#store.find(key)) ?? {};
    if (at > 0 && this.#canRead(key, there)) return { isOurs: false, there: { record: there, seq: at } };
    if (at > 0) await this.#store.remove(key, at); // the next try is the first record
    return { isOurs: false, there: undefined };
  }

  /** What was stored after `upTo`, if given, stays. */
  remove(name = "", upTo?: number): Promise<void> {
    return this.#store.remove(this.#keyOf(name), upTo);
  }

  nameOf(key: string): string {
    return Buffer.from(key.slice(this.#prefix.length), "base64url").toString();
  }

  #keyOf(name: string): string {
    return this.#prefix + Buffer.from(name).toString("base64url");
  }

  #canRead(key: string, record: unknown): record is R {
    if (this.#is(record)) return true;
    const what = "a stored record cannot be read and is ignored; delete it or store it again";
    this.#log.error(what, { key: key.slice(0, 300) });
    return false;
  }
}
