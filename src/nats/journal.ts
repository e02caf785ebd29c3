// The journals of durable runs: one subject for each run, all in one stream. Appends compare the last sequence, so the store itself fences
// whoever goes on with a run that belongs to another attempt by now.

import { createInbox, type Msg } from "@nats-io/transport-node";
import type { JournalName } from "../domain/durable.ts";
import { QueueFull, StoreUnavailable } from "../domain/errors.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { encodeJournalMessage } from "../wire/journal-message.ts";
import type { Subjects } from "../wire/subjects.ts";
import { askStore } from "./ask-store.ts";
import { largestHeader, replacesAll } from "./expect-headers.ts";
import type { NatsLink } from "./link.ts";
import type { Publisher } from "./publisher.ts";
import { newestFromLeader, nextFromLeader, type StoredMessage } from "./stored-message.ts";
import { purgeSubject } from "./stream-api.ts";

export interface JournalOptions {
  /** A publisher on the stream of the journals. */
  readonly publisher: Publisher;
  /** Asked before each copy of a message is sent. @default always */
  readonly maySend?: () => boolean;
}

/** The versions of servers that send many messages in answer to one request. */
const inBatches = /^(?:[3-9]|2\.(?:1[1-9]|[2-9]\d)|\d{2,})/;
/** What the header of a message takes besides, if it replaces others. Units: bytes */
const rollupHeader = 20;
const batchSize = 1_000;
const batchWithinMs = 5_000;
const tries = 5;
/** A turn that is later than all others. */
const noTurn = 0xffff_ffff;

export class JournalStore {
  readonly #link: NatsLink;
  readonly #subjects: Subjects;
  readonly #options: JournalOptions;

  constructor(link: NatsLink, subjects: Subjects, options: JournalOptions) {
    this.#link = link;
    this.#subjects = subjects;
    this.#options = options;
  }

  get largestMessage(): number {
    return this.#link.maxPayload - largestHeader - rollupHeader;
  }

  /**
   * Appends a message after the one at `expect`. Returns its sequence; undefined if another message stands there.
   *
   * Fails: StoreUnavailable, also when there is no room; PermissionDenied, PayloadTooLarge
   */
  async append(
    { key, origin }: JournalName,
    message: Uint8Array,
    expect: number,
    replaces: boolean,
  ): Promise<number | undefined> {
    const { publisher, maySend } = this.#options;
    const subject = this.#subjects.journal(key, origin);
    try {
      const result = await publisher.append(subject, message, expect, { maySend, replaces });
      return result.ok ? result.seq : undefined;
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      const reason = `there is no room for the journals of durable runs: ${error.reason}; raise journal.maxBytes (NATCHET_JOURNAL_MAX_BYTES), or end some of the runs`;
      throw new StoreUnavailable({ operation: `append to ${subject}`, reason });
    }
  }

  last({ key, origin }: JournalName): Promise<StoredMessage | undefined> {
    return newestFromLeader(this.#link, this.#subjects.journalStream, this.#subjects.journal(key, origin));
  }

  /**
   * Reads a journal up to the last message that the stream's leader knows, since a replica may lag. With `reaches`, the sequence of one of its
   * messages, it is enough to read up to there: the leader is asked only if that one is missing. Fails: StoreUnavailable, PermissionDenied
   */
  async read(name: JournalName, reaches?: number): Promise<readonly Stored[]> {
    const subject = this.#subjects.journal(name.key, name.origin);
    const asked = this.#all(subject).catch(() => undefined); // may fail before anybody awaits it
    if (reaches !== undefined && this.#isInBatches) {
      const records = await asked;
      if (records !== undefined && endOf(records) >= reaches) return records;
    }
    const last = await this.last(name);
    if (last === undefined) return [];
    for (let i = 0; i < tries; i++) {
      const records = (i === 0 ? await asked : undefined) ?? (await this.#all(subject));
      if (endOf(records) >= last.seq) return records;
    }
    throw new StoreUnavailable({ operation: "read a journal", reason: "a replica lags behind" });
  }

  /** Leaves nothing of a journal but one message that belongs to no turn: a worker that comes late neither goes on nor begins again. Fails: StoreUnavailable, PermissionDenied */
  async close({ key, origin }: JournalName, time: number): Promise<void> {
    const last = encodeJournalMessage({ turn: noTurn, attempt: 0, number: 0, time, begins: false, deliveries: [] });
    const subject = this.#subjects.journal(key, origin);
    await askStore(this.#link, subject, last, { operation: `erase ${subject}`, headers: replacesAll });
  }

  /** Removes a journal. Fails: StoreUnavailable, PermissionDenied */
  async purge({ key, origin }: JournalName): Promise<void> {
    await purgeSubject(this.#link, this.#subjects.journalStream, this.#subjects.journal(key, origin));
  }

  get #isInBatches(): boolean {
    return inBatches.test(this.#link.version);
  }

  /** All messages of a journal, as far as the replicas that answer have them. */
  async #all(subject: string): Promise<readonly Stored[]> {
    const records: Stored[] = [];
    for (let left = 1; left > 0; ) {
      const seq = endOf(records) + 1;
      const page = await (this.#isInBatches ? this.#batch(subject, seq) : this.#one(subject, seq));
      records.push(...page.records);
      left = page.records.length === 0 ? 0 : page.left;
    }
    return records;
  }

  async #one(subject: string, seq: number): Promise<Page> {
    const found = await nextFromLeader(this.#link, this.#subjects.journalStream, subject, seq);
    return found === undefined ? { records: [], left: 0 } : { records: [found], left: 1 };
  }

  #batch(subject: string, seq: number): Promise<Page> {
    const { nc, inboxPrefix } = this.#link;
    const inbox = createInbox(inboxPrefix);
    const operation = `read ${subject}`;
    return new Promise((resolve, reject) => {
      const records: Stored[] = [];
      const fail = (reason: string) => end(() => reject(new StoreUnavailable({ operation, reason })));
      const timer = setTimeout(() => fail("it did not answer"), batchWithinMs);
      const stopListening = this.#link.onDisconnect(() => fail("the connection broke"));
      const subscription = nc.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return fail(error.message);
          if (message.data.length > 0) return void records.push(new ReadRecord(message));
          const { headers } = message;
          if (headers === undefined || (headers.code >= 400 && headers.code !== 404))
            return fail(
              headers === undefined ? "it answered without headers" : `${headers.code} ${headers.description}`,
            );
          if (headers.code === 204 || headers.code === 404)
            return end(() => resolve({ records, left: Number(headers.get("Nats-Num-Pending")) }));
          records.push(new ReadRecord(message));
        },
      });
      const end = (tell: () => void): void => {
        clearTimeout(timer);
        stopListening();
        subscription.unsubscribe();
        tell();
      };
      const request = jsonBytes({ batch: batchSize, next_by_subj: subject, seq });
      nc.publish(`$JS.API.DIRECT.GET.${this.#subjects.journalStream}`, request, { reply: inbox });
    });
  }
}

type Stored = Pick<StoredMessage, "seq" | "data">;

/** What one answer holds, and how many messages come after that. */
interface Page {
  readonly records: Stored[];
  readonly left: number;
}

const endOf = (records: readonly Stored[]): number => records.at(-1)?.seq ?? 0;

/** Its headers are parsed only when its sequence is asked for: parsing costs more than the rest of the read. */
class ReadRecord implements Stored {
  readonly #message: Msg;

  constructor(message: Msg) {
    this.#message = message;
  }

  get seq(): number {
    return Number(this.#message.headers!.get("Nats-Sequence"));
  }

  get data(): Uint8Array {
    return this.#message.data;
  }
}
