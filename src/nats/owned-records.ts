// Records of the bucket that belong to the leader: written only over what this engine has read, so that one that no longer leads
// writes nothing. What the previous leader wrote after that is found, and a newer leader's record stays.
import type { Records } from "./records.ts";

/** Of the leader that wrote it. */
export interface Owned {
  readonly epoch: number;
}
interface Written<R> {
  /** What the previous leader stored after this one had begun. */
  readonly found?: R | undefined;
}

/** All fail with StoreUnavailable and PermissionDenied. */
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

  /** `recordOver`: what to write over the previous leader's. Undefined if a newer leader has written. */
  async write(epoch: number, recordOver: (found: R | undefined) => R, name = ""): Promise<Written<R> | undefined> {
    let found: R | undefined;
    for (;;) {
      const { isOurs, there } = await this.#records.write(recordOver(found), this.#seqs.get(name) ?? 0, name);
      this.#seqs.set(name, there?.seq ?? 0);
      if (isOurs) return found === undefined ? {} : { found };
      found = there?.record;
      if (found !== undefined && found.epoch > epoch) return undefined;
      if (found?.epoch === epoch) found = undefined; // an earlier write of this engine, included in what it writes now
    }
  }

  async drop(name: string): Promise<void> {
    this.#seqs.delete(name);
    await this.#records.remove(name);
  }
}
