// What leaders tried in their own process, in one record of the bucket: an engine that no longer leads notes nothing, and sends nothing
// of it.

import type { Log } from "../domain/log.ts";
import type { Cautious, Tried } from "../matching/suspects/tried.ts";
import { type Owned, OwnedRecords } from "../nats/owned-records.ts";
import type { RecordStore } from "../nats/record-store.ts";
import { Records } from "../nats/records.ts";
import { inRounds } from "../runtime/in-rounds.ts";
import { isTried } from "../wire/records.ts";
import type { Term } from "./term.ts";

export interface TriedRecord extends Owned {
  readonly tried: readonly Tried[];
  readonly cautious?: Cautious | undefined;
}

export class TriedStore {
  readonly #records: OwnedRecords<TriedRecord>;
  readonly #log: Log;
  readonly #term: () => Term;
  /** What the next round stores. */
  #newest: Omit<TriedRecord, "epoch"> = { tried: [] };
  readonly #storeNewest = inRounds(() => this.#store());
  #last = Promise.resolve(true);

  constructor(store: RecordStore, log: Log, term: () => Term) {
    this.#records = new OwnedRecords(new Records(store, "tried", isTried, log));
    this.#log = log;
    this.#term = term;
  }

  /** Fails: StoreUnavailable, PermissionDenied */
  async load(): Promise<Omit<TriedRecord, "epoch">> {
    const { tried = [], cautious } = (await this.#records.load()) ?? {};
    return { tried, cautious };
  }

  /** Tries until it is stored, a newer leader has written, or the term is over. */
  store({ tried, cautious }: Omit<TriedRecord, "epoch">): Promise<boolean> {
    this.#newest = { tried, ...(cautious && { cautious }) };
    const stored = this.#storeNewest();
    // What can never be stored does not stop the assignments.
    this.#last = stored.catch((error: unknown) => {
      const what =
        "assignments could not be recorded; if one of them kills this process, the next leader will not know which";
      this.#log.warn(what, { error });
      return true;
    });
    return stored;
  }

  /** Whether everything given to `store` by now is stored. */
  stored(): Promise<boolean> {
    return this.#last;
  }

  async #store(): Promise<boolean> {
    const term = this.#term();
    const record = { epoch: term.epoch, ...this.#newest };
    const write = () => this.#records.write(term.epoch, () => record);
    return (await term.untilStored("what this engine assigns within its process", write)) !== undefined;
  }
}
