// The bucket of a namespace: small JSON records under a key, the newest wins. Task definitions, the list of known workers, the admission flag.
import { Effect, type Scope } from "effect";
import { jsonBytes, jsonOf } from "../protocol/bytes.ts";
import type { Subjects } from "../protocol/subjects.ts";
import { askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { readLog } from "./log-reader.ts";
import { lastOf } from "./stored-message.ts";

export class Definitions {
  readonly #link: NatsLink;
  readonly #bucket: string;
  readonly #stream: string;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#bucket = subjects.bucket;
    this.#stream = `KV_${subjects.bucket}`;
  }

  /** The record of a key, or undefined. Fails: {@link StoreUnavailable}, {@link PermissionDenied} */
  async get(key: string): Promise<unknown> {
    const stored = await lastOf(this.#link, this.#stream, this.#subject(key));
    return stored === undefined ? undefined : jsonOf(stored.data);
  }

  /** Stores the record of a key. Fails: {@link StoreUnavailable} safe to retry, {@link PermissionDenied} */
  async put(key: string, record: unknown): Promise<void> {
    await askStore(this.#link, this.#subject(key), jsonBytes(record), { operation: `store ${key}` });
  }

  /**
   * Calls back with every record, the stored ones first, as long as the scope is open; also across outages, after which a record may come
   * again. `onTrouble` hears of a record that is not JSON and of a watch that had to start again.
   */
  watch(
    listener: (key: string, record: unknown) => void,
    onTrouble: (reason: string) => void = () => {},
  ): Effect.Effect<void, never, Scope.Scope> {
    const prefix = this.#subject("").length;
    return readLog(this.#link, this.#stream, 1, {
      onMessage: (_seq, subject, data) => listener(subject.slice(prefix), jsonOf(data)),
      onCaughtUp: () => {},
      onTrouble,
    }).pipe(Effect.asVoid);
  }

  #subject(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }
}
