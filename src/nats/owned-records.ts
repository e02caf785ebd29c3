// Records of the bucket that only the leader may write. They are written only over what this engine has read, so an engine that no longer leads
// writes nothing; what the previous leader has stored late is found, and the record of a newer leader stays.
import type { Records } from "./records.ts";

export interface Owned {
  /** The epoch of the leader that wrote the record. */
  readonly epoch: number;
}
interface Written<R> {
  /** What the previous leader stored after this one had begun. */
  readonly found?: R | undefined;
}

/** All methods fail with StoreUnavailable or PermissionDenied. */
export class OwnedRecords<R extends Owned> {
  readonly #records: Records<R>;
  /** The sequence of each record that this engine knows. */
  readonly #seqs = new Map<string, number>();

  constructor(records: Records<R>) {
    this.#records = records;
  }

  async load(name = ""): Promise<R | undefined> {
    const found = await this.#records.find(name);
    this.#seqs.set(name, found?.seq ?? 0);
    return found?.record;
  }

  async loadAll(): Promise<readonly R[]> {
    const stored = await this.#records.all();
    this.#seqs.clear();
    for (const { key, seq } of stored) this.#seqs.set(this.#records.nameOf(key), seq);
    return stored.map(({ record }) => record);
  }

  /** Writes a record. `recordOver`: what to write over that of the previous leader. Undefined if a newer leader has written one. */
  async write(epoch: number, recordOver: (found: R | undefined) => R, name = ""): Promise<Written<R> | undefined> {
    let found: R | undefined;
    for (;;) {
      const { isOurs, there } = await this.#records.write(recordOver(found), this.#seqs.get(name) ?? 0, name);
      this.#seqs.set(name, there?.seq ?? 0);
      if (isOurs) return found === undefined ? {} : { found };
      found = there?.record;
      if (found !== undefined && found.epoch > epoch) return undefined;
      if (found?.epoch === epoch) found = undefined; // this engine wrote it: what it writes now includes that
    }
  }

  /** One after the other, as far as they are known now: what is written meanwhile, by whomever, stays. */
  async drop(names: readonly string[]): Promise<void> {
    const known = names.map((name) => ({ name, seq: this.#seqs.get(name) ?? 0 }));
    for (const name of names) this.#seqs.delete(name);
    for (const { name, seq } of known) await this.#records.remove(name, seq);
  }
}
