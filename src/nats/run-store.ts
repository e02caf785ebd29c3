// The log of a namespace as the engine uses it beside appending and following: read back, look at its ends, purge.
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { StoreUnavailable } from "../domain/errors.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { NatsLink } from "./link.ts";
import { messageAt, nextOf, type StoredMessage } from "./stored-message.ts";

export class RunStore {
  readonly #link: NatsLink;
  readonly #stream: string;
  #manager: Promise<JetStreamManager> | undefined;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#stream = subjects.stream;
  }

  read(seq: number): Promise<StoredMessage | undefined> {
    return messageAt(this.#link, this.#stream, seq);
  }

  /** Sequence of the newest entry ever appended. */
  async lastSeq(): Promise<number> {
    return (await this.#info()).last_seq;
  }

  async storedBytes(): Promise<number> {
    return (await this.#info()).bytes;
  }

  /** Sequence of the first entry of a subject filter that is left, or undefined. */
  async firstSeqOf(filter: string): Promise<number | undefined> {
    return (await nextOf(this.#link, this.#stream, filter))?.seq;
  }

  /** Removes the entries of a subject filter below `keepFrom`; returns how many. */
  async purge(filter: string, keepFrom: number): Promise<number> {
    const manager = await this.#jetstream();
    return this.#attempt(
      "purge",
      async () => (await manager.streams.purge(this.#stream, { filter, seq: keepFrom })).purged,
    );
  }

  async #info() {
    const manager = await this.#jetstream();
    return this.#attempt("tell its state", async () => (await manager.streams.info(this.#stream)).state);
  }

  #jetstream(): Promise<JetStreamManager> {
    this.#manager ??= jetstreamManager(this.#link.nc, { timeout: 5_000, checkAPI: false });
    return this.#manager;
  }

  async #attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new StoreUnavailable({ operation, reason: (cause as Error).message });
    }
  }
}
