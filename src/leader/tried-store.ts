// What leaders tried in their own process, in one record of the bucket: an engine that no longer leads notes nothing, and sends nothing
// of it.

import type { Log } from "../domain/log.ts";
import type { Cautious, Tried } from "../matching/suspects/tried.ts";
import type { Definitions } from "../nats/definitions.ts";
import { type Owned, OwnedRecords } from "../nats/owned-records.ts";
import { Records } from "../nats/records.ts";
import { isTried } from "../wire/records.ts";
import type { Term } from "./term.ts";

export interface TriedRecord extends Owned {
  readonly tried: readonly Tried[];
  readonly cautious?: Cautious | undefined;
}

export class TriedStore {
  readonly #records: OwnedRecords<TriedRecord>;
  readonly #log: Log;
  /** The write in flight, and the next one, which takes the newest content. True = it is stored. */
  #writing: Promise<boolean> = Promise.resolve(true);
  #next: { record: TriedRecord; readonly stored: Promise<boolean> } | undefined;

  constructor(definitions: Definitions, log: Log) {
    this.#records = new OwnedRecords(new Records(definitions, "tried", isTried, log));
    this.#log = log;
  }

  /** Fails: StoreUnavailable, PermissionDenied */
  async load(): Promise<Omit<TriedRecord, "epoch">> {
    const { tried = [], cautious } = (await this.#records.load()) ?? {};
    return { tried, cautious };
  }

  /** Tries until it is stored, a newer leader has written, or the term is over. */
  store({ tried, cautious }: Omit<TriedRecord, "epoch">, term: Term): Promise<boolean> {
    const record = { epoch: term.epoch, tried, ...(cautious && { cautious }) };
    if (this.#next !== undefined) {
      this.#next.record = record;
      return this.#next.stored;
    }
    const stored = this.#writing.then(() => {
      const newest = this.#next!.record;
      this.#next = undefined;
      const what = "what this engine assigns within its process";
      const write = () => this.#records.write(newest.epoch, () => newest);
      return term.untilStored(what, write).then((written) => written !== undefined);
    });
    this.#next = { record, stored };
    // What can never be stored does not stop the assignments.
    this.#writing = stored.catch((error: unknown) => {
      this.#log.warn(
        "assignments could not be recorded; if one of them kills this process, the next leader will not know which",
        { error },
      );
      return true;
    });
    return stored;
  }

  /** Whether everything given to `store` by now is stored. */
  stored(): Promise<boolean> {
    return this.#writing;
  }
}
