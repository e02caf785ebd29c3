// The bucket of a namespace: small JSON records by key, of which the newest counts. Task definitions, schedules, pauses, the admission flag and others.
import { headers } from "@nats-io/transport-node";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { jsonBytes, jsonOf, textOf } from "../wire/bytes.ts";
import type { Subjects } from "../wire/subjects.ts";
import { askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { readLog } from "./log-reader.ts";
import { readStored } from "./read-stored.ts";
import { newestFromLeader, newestOfAny } from "./stored-message.ts";
import { purgeSubject, wrongLastSequence } from "./stream-api.ts";

/** `record` is undefined if it is not JSON. */
interface FoundRecord {
  readonly key: string;
  readonly record: unknown;
  readonly seq: number;
}

/** Undefined if the data is not JSON: garbage in the bucket must not make anybody wait forever. */
function recordIn(data: Uint8Array): unknown {
  try {
    return jsonOf(data);
  } catch {
    return undefined;
  }
}

export class RecordStore {
  readonly #link: NatsLink;
  readonly #bucket: string;
  readonly #stream: string;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#bucket = subjects.bucket;
    this.#stream = subjects.bucketStream;
  }

  /** The record of a key, or undefined, from the leader of the bucket's stream. Fails: {@link StoreUnavailable}, {@link PermissionDenied} */
  async get(key: string): Promise<unknown> {
    return (await this.find(key))?.record;
  }

  /**
   * The record of a key from any replica, which may lag behind. For those who will look again, and may not have the right to read other records.
   *
   * Fails as {@link RecordStore.get}
   */
  async glimpse(key: string): Promise<unknown> {
    const stored = await newestOfAny(this.#link, this.#stream, this.#subject(key));
    return stored === undefined ? undefined : recordIn(stored.data);
  }

  /** The record of a key with its sequence. Fails as {@link RecordStore.get} */
  async find(key: string): Promise<{ readonly record: unknown; readonly seq: number } | undefined> {
    const stored = await newestFromLeader(this.#link, this.#stream, this.#subject(key));
    return stored === undefined ? undefined : { record: recordIn(stored.data), seq: stored.seq };
  }

  /**
   * Stores the record of a key over whatever is there, and over `seq` if that is known, as long as `maySend` says so. Returns its sequence, or
   * undefined if it may not be sent any more: a try that hangs until then is refused where somebody else has written.
   *
   * Fails: {@link StoreUnavailable} safe to retry, {@link PermissionDenied}
   */
  async put(key: string, record: unknown, maySend: () => boolean, seq?: number): Promise<number | undefined> {
    const over = seq ?? (await this.find(key))?.seq ?? 0;
    if (!maySend()) return undefined;
    return (await this.replace(key, record, over)) ?? this.put(key, record, maySend);
  }

  /**
   * Stores the record of a key over the one at `expectedSeq` (0 = none). Returns its sequence; undefined if there is another record.
   *
   * If the answer to an earlier try was lost, what that has stored is recognised by its content.
   *
   * Fails: {@link StoreUnavailable} safe to retry, {@link PermissionDenied}
   */
  async replace(key: string, record: unknown, expectedSeq: number): Promise<number | undefined> {
    const data = jsonBytes(record);
    const expected = headers();
    expected.set("Nats-Expected-Last-Subject-Sequence", String(expectedSeq));
    const reply = await askStore(this.#link, this.#subject(key), data, {
      operation: `store ${key}`,
      headers: expected,
      accept: ({ err_code }) => err_code === wrongLastSequence,
    });
    const { seq = 0 } = reply.json() as { seq?: number };
    if (seq > 0) return seq; // a refusal says 0
    const there = await this.find(key);
    return JSON.stringify(there?.record) === textOf(data) ? there?.seq : undefined;
  }

  /** Forgets a key; what was stored after `upTo`, if given, stays. Fails: {@link StoreUnavailable}, {@link PermissionDenied} */
  async remove(key: string, upTo?: number): Promise<void> {
    await purgeSubject(this.#link, this.#stream, this.#subject(key), upTo === undefined ? {} : { keepFrom: upTo + 1 });
  }

  /**
   * All records whose key begins with a prefix such as `cron.`, as the leader of the bucket's stream has them.
   *
   * Fails: {@link StoreUnavailable} when the store does not answer for 10 s, {@link PermissionDenied}
   */
  async readAll(prefix: string): Promise<readonly FoundRecord[]> {
    const found: FoundRecord[] = [];
    const start = this.#subject("").length;
    await readStored(this.#link, {
      stream: this.#stream,
      filter: `${this.#subject(prefix)}>`,
      onMessage: (seq, subject, data) => void found.push({ key: subject.slice(start), record: recordIn(data), seq }),
    });
    return found;
  }

  /**
   * Calls back with every record while the scope is open, the stored ones first. Goes on across outages, after which a record may come again.
   * `onTrouble` hears of a record that is not JSON, and of a watch that had to start again.
   */
  watch(
    listener: (key: string, record: unknown) => void,
    onTrouble: (reason: string) => void = () => {},
  ): Effect.Effect<void, never, Scope.Scope> {
    const prefix = this.#subject("").length;
    return readLog(this.#link, this.#stream, 1, {
      onMessage: (_seq, subject, data) => listener(subject.slice(prefix), jsonOf(data)),
      onTrouble,
    }).pipe(Effect.asVoid);
  }

  #subject(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }
}
