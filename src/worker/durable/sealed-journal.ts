// The sealed journal encrypts what a worker appends and decrypts what it reads, so that the server sees ciphertext only.

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

  /** Fails: as {@link Journal.read}, and DecryptionFailed */
  async read(name: JournalName, reaches?: number): Promise<readonly StoredRecord[]> {
    const records = await this.#journal.read(name, reaches);
    const opened = records.map(async ({ seq, data }) => ({ seq, data: await openMessage(this.#vault, name, data) }));
    return Promise.all(opened);
  }

  /** Stays sealed: who wrote a message is not encrypted, and nobody asks for more. */
  last(name: JournalName): Promise<StoredRecord | undefined> {
    return this.#journal.last(name);
  }
}
