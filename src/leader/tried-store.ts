// The tried runs of a namespace: what a leader gave to workers of its own process, in one record of the bucket that the next leader reads.
// An engine that no longer leads cannot write the record, and therefore does not send what it wanted to note there.

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

  /** Retries until the record is stored: true. False if a newer leader has written it, or if the term ends first. */
  store({ tried, cautious }: Omit<TriedRecord, "epoch">): Promise<boolean> {
    this.#newest = { tried, ...(cautious && { cautious }) };
    const stored = this.#storeNewest();
    // A record that can never be stored must not stop the assignments.
    this.#last = stored.catch((error: unknown) => {
      const what =
        "assignments could not be recorded; if one of them kills this process, the next leader will not know which";
      this.#log.warn(what, { error });
      return true;
    });
    return stored;
  }

  /** Resolves once the newest call of `store` has ended, with its result. */
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
