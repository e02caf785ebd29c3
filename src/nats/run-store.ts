// The run store: what is done with the log besides appending to it and following it. Entries are read back, its ends looked up, and entries purged.
import type { Subjects } from "../wire/subjects.ts";
import type { NatsLink } from "./link.ts";
import {
  messageAt,
  messageFromLeader,
  newestFromLeader,
  nextFromLeader,
  type StoredMessage,
} from "./stored-message.ts";
import { purgeSubject, type StreamState, streamInfo } from "./stream-api.ts";

/** All methods fail with {@link StoreUnavailable} (safe to retry) once the store has not answered for 10 s, or with {@link PermissionDenied}. */
export class RunStore {
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #outcomes: string;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#stream = subjects.stream;
    this.#outcomes = subjects.outcomes;
  }

  /** The entry of a sequence; undefined when it is gone. A replica that does not have it may only lag, so the stream's leader has the last word. */
  async read(seq: number): Promise<StoredMessage | undefined> {
    return (await messageAt(this.#link, this.#stream, seq)) ?? messageFromLeader(this.#link, this.#stream, seq);
  }

  /** The newest entry of a subject, or undefined when there is none. */
  newestOf(subject: string): Promise<StoredMessage | undefined> {
    return newestFromLeader(this.#link, this.#stream, subject);
  }

  /** Sequence of the newest entry ever appended. */
  async lastSeq(): Promise<number> {
    return (await this.#state()).last_seq;
  }

  /** Sequence of the newest entry that is left, from the stream's leader; 0 in an empty log. Reads that entry, so {@link lastSeq} costs less. */
  async newestSeq(): Promise<number> {
    return (await newestFromLeader(this.#link, this.#stream, ">"))?.seq ?? 0;
  }

  /** Sequence of the first outcome entry that is left, or of the next entry if there is none. */
  async outcomesFrom(): Promise<number> {
    const first = await this.firstSeqOf(this.#outcomes);
    if (first !== undefined) return first;
    const last = await this.lastSeq(); // asked in this order: what was stored in between may be an outcome, and then it is the first
    return (await this.firstSeqOf(this.#outcomes)) ?? last + 1;
  }

  /** The time by the clock of the stream's leader; undefined if it does not say. Units: epoch milliseconds */
  async time(): Promise<number | undefined> {
    const time = Date.parse((await streamInfo(this.#link, this.#stream)).ts ?? "");
    return Number.isNaN(time) ? undefined : time;
  }

  async storedBytes(): Promise<number> {
    return (await this.#state()).bytes;
  }

  /** Sequence of the first entry that is left of a subject filter, or undefined. */
  async firstSeqOf(filter: string): Promise<number | undefined> {
    return (await nextFromLeader(this.#link, this.#stream, filter))?.seq;
  }

  /** Removes the entries of a subject filter below `keepFrom`; returns how many. */
  purge(filter: string, keepFrom: number): Promise<number> {
    return purgeSubject(this.#link, this.#stream, filter, { keepFrom });
  }

  async #state(): Promise<StreamState> {
    return (await streamInfo(this.#link, this.#stream)).state;
  }
}
