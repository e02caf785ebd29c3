// The leader's claim on a namespace: one key with a time to live. Whoever creates it, or takes over a released one, leads; the
// revision of that write is the epoch. Correctness never rests on the lease: two leaders can at worst dispatch a run twice.
import { jsonBytes, jsonOf } from "../protocol/bytes.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { NatsLink } from "./link.ts";
import type { Publisher } from "./publisher.ts";
import { lastOf } from "./stored-message.ts";
import { leaseTtlMs } from "./streams.ts";

/** What a leader that leaves cleanly hands over: which run it assigned to which worker. */
export interface LedgerEntry {
  readonly key: string;
  readonly turn: number;
  readonly origin: number;
  readonly worker: string;
}

interface LeaseRecord {
  readonly engine: string;
  readonly released: boolean;
  readonly ledger?: readonly LedgerEntry[];
}

export interface Claim {
  readonly epoch: number;
  /** Present after a clean hand-over. */
  readonly ledger: readonly LedgerEntry[] | undefined;
}

/** Units: milliseconds */
export const leaseTiming = { ttlMs: leaseTtlMs, renewMs: 1_500, pollMs: 500 } as const;

export class Lease {
  readonly #link: NatsLink;
  readonly #publisher: Publisher;
  readonly #stream: string;
  readonly #subject: string;
  readonly #engine: string;
  #revision = 0;
  #renewedAt = 0;

  /** `publisher` must be one on the lease bucket's stream. */
  constructor(link: NatsLink, publisher: Publisher, subjects: Subjects, engine: string) {
    this.#link = link;
    this.#publisher = publisher;
    this.#stream = `KV_${subjects.leaseBucket}`;
    this.#subject = `$KV.${subjects.leaseBucket}.leader`;
    this.#engine = engine;
  }

  /** Tries once to claim the lease; undefined when somebody holds it. Fails: {@link StoreUnavailable} */
  async claim(now: number): Promise<Claim | undefined> {
    const held = await lastOf(this.#link, this.#stream, this.#subject);
    const record = held === undefined || held.data.length === 0 ? undefined : (jsonOf(held.data) as LeaseRecord);
    if (record !== undefined && !record.released) return undefined;
    const written = await this.#write({ engine: this.#engine, released: false }, held?.seq ?? 0);
    if (written === undefined) return undefined;
    this.#renewedAt = now;
    return { epoch: written, ledger: record?.ledger };
  }

  /** Holds the lease for another term; false when it is somebody else's by now. */
  async renew(now: number): Promise<boolean> {
    const written = await this.#write({ engine: this.#engine, released: false }, this.#revision);
    if (written === undefined) return false;
    this.#renewedAt = now;
    return true;
  }

  /** Whether the holder must assume, by its own clock, that the server has let the lease go. */
  isExpired(now: number): boolean {
    return now - this.#renewedAt > leaseTiming.ttlMs - 500;
  }

  /** Gives the lease up so that a standby leads at once. */
  async release(ledger: readonly LedgerEntry[]): Promise<void> {
    await this.#write({ engine: this.#engine, released: true, ledger: ledger.slice(0, 5_000) }, this.#revision);
  }

  async #write(record: LeaseRecord, expect: number): Promise<number | undefined> {
    const result = await this.#publisher.append(this.#subject, jsonBytes(record), expect);
    if (!result.ok) return undefined;
    this.#revision = result.seq;
    return result.seq;
  }
}
