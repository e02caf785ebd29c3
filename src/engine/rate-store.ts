// Rate limits in the bucket of the namespace: one record each, written only over what this engine has read, so that an engine that does not
// lead any more reserves nothing.
import type { Log } from "../domain/log.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { StoredRate } from "../scheduler/commands.ts";

const prefix = "rate.";
const keyOf = (id: string): string => `${prefix}${Buffer.from(id).toString("base64url")}`;

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
    return records.map(({ record }) => record as StoredRate);
  }

  /** The limits that are stored now; what another engine has written over is left out. */
  async store<R extends StoredRate>(rates: readonly R[]): Promise<readonly R[]> {
    const stored = await Promise.all(rates.map((rate) => this.#storeOne(rate)));
    return rates.filter((_, index) => stored[index]);
  }

  async drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const key = keyOf(id);
      this.#seqs.delete(key);
      await this.#definitions.remove(key);
    }
  }

  async #storeOne({ id, perMs, uses }: StoredRate): Promise<boolean> {
    const key = keyOf(id);
    const seq = await this.#definitions.replace(key, { id, perMs, uses }, this.#seqs.get(key) ?? 0);
    if (seq === undefined) {
      this.#log.warn("another engine has counted this rate limit; this one reserves nothing of it", { limit: id });
      return false;
    }
    this.#seqs.set(key, seq);
    return true;
  }
}
