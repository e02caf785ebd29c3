// The journals of a worker with keys: what it appends and reads, the server sees as ciphertext. The code that reads and writes them does not notice.

import type { JournalName } from "../../domain/durable.ts";
import { openMessage, sealedHeadroom, sealMessage } from "../../sealing/sealed-journal.ts";
import type { Vault } from "../../sealing/vault.ts";
import type { Journal, StoredRecord } from "./journal.ts";

export class SealedJournal implements Journal {
  readonly #journal: Journal;
  readonly #vault: Vault;

  constructor(journal: Journal, vault: Vault) {
    this.#journal = journal;
    this.#vault = vault;
  }

  get largestMessage(): number {
    return this.#journal.largestMessage - sealedHeadroom;
  }

  append(name: JournalName, message: Uint8Array, expect: number, replaces: boolean): Promise<number | undefined> {
    const sealed = sealMessage(this.#vault, name, message, this.#journal.largestMessage);
    return this.#journal.append(name, sealed, expect, replaces);
  }

  /** Fails: also DecryptionFailed */
  async read(name: JournalName, reaches?: number): Promise<readonly StoredRecord[]> {
    const records = await this.#journal.read(name, reaches);
    const opened = records.map(async ({ seq, data }) => ({ seq, data: await openMessage(this.#vault, name, data) }));
    return Promise.all(opened);
  }

  /** Who wrote it can be read by everybody, and nobody asks for more. */
  last(name: JournalName): Promise<StoredRecord | undefined> {
    return this.#journal.last(name);
  }
}
