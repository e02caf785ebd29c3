// Rate limits in the bucket of the namespace: one record each, written only over what this engine has read, so that an engine that does not
// lead any more reserves nothing.
import type { Log } from "../domain/log.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { Definitions } from "../nats/definitions.ts";
import { readable, readRecord } from "../nats/stored-records.ts";
import { isStoredRate } from "../wire/records.ts";

const prefix = "rate.";
const keyOf = (id: string): string => `${prefix}${Buffer.from(id).toString("base64url")}`;

interface Record extends StoredRate {
  readonly epoch: number;
}
/** What the leader before this one stored when this one had begun. */
interface Found {
  readonly found?: StoredRate;
}

export class RateStore {
  readonly #definitions: Definitions;
  readonly #log: Log;
  /** Where the record of a limit stands that this engine knows. */
  #seqs = new Map<string, number>();

  constructor(definitions: Definitions, log: Log) {
    this.#definitions = definitions;
    this.#log = log;
  }

  /** All that is stored. Fails: StoreUnavailable, PermissionDenied */
  async load(): Promise<readonly StoredRate[]> {
    const records = await this.#definitions.readAll(prefix);
    this.#seqs = new Map(records.map(({ key, seq }) => [key, seq]));
    return readable(records, isStoredRate, this.#log).map(({ record }) => record);
  }

  /** Stores what a leader has used and reserved; a newer leader's records stay, and are left out of the answer. */
  async store<R extends StoredRate>(rates: readonly R[], epoch: number): Promise<readonly (R & Found)[]> {
    const stored = await Promise.all(rates.map((rate) => this.#storeOne(rate, epoch)));
    return rates.flatMap((rate, index) => {
      const answer = stored[index];
      return answer === undefined ? [] : [{ ...rate, ...answer }];
    });
  }

  async drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const key = keyOf(id);
      this.#seqs.delete(key);
      await this.#definitions.remove(key);
    }
  }

  async #storeOne({ id, perMs, uses, held = 0 }: StoredRate, epoch: number): Promise<Found | undefined> {
    const key = keyOf(id);
    let found: Record | undefined;
    for (;;) {
      const all = found === undefined ? uses : [...found.uses, ...uses];
      const record: Record = { id, perMs, uses: all, held: held + (found?.held ?? 0), epoch };
      const seq = await this.#definitions.replace(key, record, this.#seqs.get(key) ?? 0);
      if (seq !== undefined) {
        this.#seqs.set(key, seq);
        return found === undefined ? {} : { found };
      }
      // The leader before wrote once more after this one had read, or a newer leader writes already.
      const there = await readRecord(this.#definitions, key, isStoredRate, this.#log);
      this.#seqs.set(key, there.seq);
      found = there.record;
      if (found?.epoch === epoch) found = undefined; // an earlier write of this engine's own, counted in what it writes now
      if (found !== undefined && found.epoch > epoch) {
        this.#log.warn("another engine owns this rate limit now; this one reserves nothing from it", { limit: id });
        return undefined;
      }
    }
  }
}
