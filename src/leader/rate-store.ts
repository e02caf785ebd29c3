// Rate limits in the bucket of the namespace, one record each: an engine that no longer leads reserves nothing.
import type { Log } from "../domain/log.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { ConfirmedRate } from "../matching/limits/rates.ts";
import type { Definitions } from "../nats/definitions.ts";
import { type Owned, OwnedRecords } from "../nats/owned-records.ts";
import { isStoredRate } from "../wire/records.ts";

const prefix = "rate.";
const keyOf = (id: string): string => `${prefix}${Buffer.from(id).toString("base64url")}`;

export class RateStore {
  readonly #records: OwnedRecords<StoredRate & Owned>;
  readonly #log: Log;

  constructor(definitions: Definitions, log: Log) {
    this.#records = new OwnedRecords(definitions, isStoredRate, log);
    this.#log = log;
  }

  /** All that is stored. Fails: StoreUnavailable, PermissionDenied */
  load(): Promise<readonly StoredRate[]> {
    return this.#records.loadAll(prefix);
  }

  /** Stores what a leader has used and reserved; a newer leader's records stay and are omitted from the answer. */
  async store(
    rates: readonly (StoredRate & Pick<ConfirmedRate, "units">)[],
    epoch: number,
  ): Promise<readonly ConfirmedRate[]> {
    const stored = await Promise.all(
      rates.map(async (rate) => {
        const written = await this.#records.write(keyOf(rate.id), epoch, (found) => sumOf(rate, found, epoch));
        if (written !== undefined) return [{ id: rate.id, units: rate.units, ...written }];
        this.#log.warn("another engine owns this rate limit now; this one reserves nothing from it", {
          limit: rate.id,
        });
        return [];
      }),
    );
    return stored.flat();
  }

  async drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#records.drop(keyOf(id));
  }
}

/** What the previous leader wrote after this one had read counts as well. */
const sumOf = ({ id, perMs, uses, held = 0 }: StoredRate, found: StoredRate | undefined, epoch: number) => ({
  ...{ id, perMs, epoch, held: held + (found?.held ?? 0) },
  uses: found === undefined ? uses : [...found.uses, ...uses],
});
