// The lease: the leader's claim on a namespace, one key with a time to live. Whoever creates it, or takes over a released one, leads; the
// revision of that write is the epoch. Correctness never rests on the lease: two leaders can at worst dispatch a run twice.
import { StoreUnavailable } from "../domain/errors.ts";
import { jsonBytes } from "../wire/bytes.ts";
import type { CountedSpan, HandOver, LedgerEntry } from "../wire/hand-over.ts";
import { shallowJsonOf } from "../wire/json-depth.ts";
import { isLeaseRecord, type LeaseRecord } from "../wire/records.ts";
import type { Subjects } from "../wire/subjects.ts";
import { isLeaseShared } from "./format.ts";
import type { NatsLink } from "./link.ts";
import type { Publisher } from "./publisher.ts";
import { newestFromLeader, type StoredMessage } from "./stored-message.ts";
import { purgeSubject, streamInfo } from "./stream-api.ts";
import { epochFloor, leaseTtlMs } from "./streams.ts";

export interface Claim {
  /** Greater than the epoch of every claim before. */
  readonly epoch: number;
  /** What the previous leader had assigned. Present after a clean hand-over, and complete then. */
  readonly ledger: readonly LedgerEntry[] | undefined;
  readonly counted: CountedSpan | undefined;
}

/** `marginMs`: a holder gives up this long before the server does. Units: milliseconds */
export const leaseTiming = { ttlMs: leaseTtlMs, renewMs: 1_500, marginMs: 500 } as const;
const termMs = leaseTiming.ttlMs - leaseTiming.marginMs;
const releaseWithinMs = 2_000;

/** Calls must not overlap: one loop claims, renews and releases. */
export class Lease {
  readonly #link: NatsLink;
  readonly #publisher: Publisher;
  readonly #stream: string;
  readonly #subjects: Subjects;
  readonly #subject: string;
  readonly #engine: string;
  #revision = 0;
  /** Engines of format 1 may lead as well, so whoever leads holds their lease too. */
  #isShared = false;
  /** The revision of that lease while this engine holds it; 0 = it does not. */
  #sharedRevision = 0;
  /** The greatest sequence seen: if the bucket counts on below it, it was restored from a backup. */
  #newest = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;

  /** `publisher` must be one on the lease bucket's stream; `engine` must be unique to this holder. */
  constructor(link: NatsLink, publisher: Publisher, subjects: Subjects, engine: string) {
    this.#link = link;
    this.#publisher = publisher;
    this.#stream = subjects.leaseStream;
    this.#subjects = subjects;
    this.#subject = `${subjects.lease}.leader`;
    this.#engine = engine;
  }

  /** The engine that held the lease when this one last tried to claim it. */
  holder: string | undefined;

  /**
   * Tries once to claim the lease; undefined when somebody else holds it.
   *
   * A lease that this engine itself holds, by a write whose answer was lost, can be claimed again; so can that of the engine `gone`.
   * Units: `now` milliseconds of a monotonic clock, such as `performance.now()`
   * Fails: {@link StoreUnavailable} when the answer did not come within the term
   */
  async claim(now: number, gone?: string): Promise<Claim | undefined> {
    const { held, record } = await this.#read(this.#subject);
    if (this.#noteHolder(record, gone)) {
      this.#newest = Math.max(this.#newest, held!.seq);
      return undefined;
    }
    const expected = (await this.#growOn()) ? 0 : (held?.seq ?? 0);
    const before = this.#isShared ? await this.#claimShared(gone) : record;
    if (before === "held") return undefined;
    const written = await this.#write(this.#mine, expected, termMs);
    if (written === "conflict") return undefined;
    if (written === "unknown")
      throw new StoreUnavailable({ operation: "claim the lease", reason: "it did not answer in time" });
    this.#renewedAt = now;
    const { ledger, counted } = record ?? before ?? {};
    return { epoch: written, ledger, counted };
  }

  /** Claims the lease of format 1 as well, so that only one engine of any format leads. Returns its record, or `held`. */
  async #claimShared(gone: string | undefined): Promise<LeaseRecord | undefined | "held"> {
    const { held, record } = await this.#read(this.#subjects.leaseOfFormat1);
    if (this.#noteHolder(record, gone)) return "held";
    await this.#writeShared(this.#mine, held?.seq ?? 0);
    return this.#sharedRevision === 0 ? "held" : record;
  }

  async #writeShared(record: LeaseRecord, expect: number): Promise<void> {
    this.#sharedRevision = 0;
    const how = { maySend: () => this.#isShared };
    const append = this.#publisher.append(this.#subjects.leaseOfFormat1, jsonBytes(record), expect, how);
    const result = await append.catch(() => undefined); // another engine leads, or the format was raised meanwhile
    this.#sharedRevision = result?.ok === true ? result.seq : 0;
  }

  /** The namespace has this version's format now, so no engine of an older one can lead. */
  raised(): void {
    this.#isShared = false;
    this.#sharedRevision = 0;
  }

  get #mine(): LeaseRecord {
    return { engine: this.#engine, released: false };
  }

  async #read(
    subject: string,
  ): Promise<{ readonly held?: StoredMessage | undefined; readonly record?: LeaseRecord | undefined }> {
    const held = await newestFromLeader(this.#link, this.#stream, subject);
    return held === undefined ? {} : { held, record: recordIn(held.data) };
  }

  /** Notes who holds the lease. Returns whether that is another engine than this one, and than the one that is `gone`. */
  #noteHolder(record: LeaseRecord | undefined, gone: string | undefined): boolean {
    this.holder = record === undefined || record.released ? undefined : record.engine;
    return this.holder !== undefined && this.holder !== this.#engine && this.holder !== gone;
  }

  /**
   * Holds the lease for another term, waiting no longer than the current one lasts. Returns false if the lease is lost: somebody else has it, or
   * it was not renewed before the server may let it go, by this holder's own clock. Never rejects.
   */
  async renew(now: number): Promise<boolean> {
    const leftMs = this.#renewedAt + termMs - now;
    if (leftMs <= 0) return false;
    const written = await this.#write(this.#mine, this.#revision, leftMs).catch(
      () => "unknown" as const, // refused for good: the term expires anyway
    );
    if (typeof written !== "number") return false;
    if (this.#sharedRevision > 0) void this.#writeShared(this.#mine, this.#sharedRevision);
    this.#renewedAt = now;
    return true;
  }

  /** Whether the holder must assume, by its own clock, that the server has let the lease go. */
  isExpired(now: number): boolean {
    return now - this.#renewedAt > termMs;
  }

  /** Gives the lease up, so that a standby leads at once. A ledger too large for one message is left out: the next leader asks the workers then. */
  async release(handOver: HandOver): Promise<void> {
    const whole: LeaseRecord = { engine: this.#engine, released: true, ...handOver };
    const { ledger: _, ...lean } = whole;
    const fits = jsonBytes(whole).length < this.#link.maxPayload / 2;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    if (this.#sharedRevision > 0) void this.#writeShared(fits ? whole : lean, this.#sharedRevision);
    await this.#write(fits ? whole : lean, this.#revision, releaseWithinMs);
  }

  /**
   * A bucket that was restored from a backup would count epochs again that workers know already, and they would refuse them. So it is emptied, and
   * counts on above them. Returns whether that was necessary. Also notes whether engines of format 1 can lead.
   */
  async #growOn(): Promise<boolean> {
    const { state, config } = await streamInfo(this.#link, this.#stream);
    this.#isShared = isLeaseShared(config.subjects, this.#subjects);
    if (state.last_seq >= this.#newest) return false;
    await purgeSubject(this.#link, this.#stream, ">", { keepFrom: Math.max(this.#newest + 1, epochFloor()) });
    return true;
  }

  async #write(record: LeaseRecord, expect: number, withinMs: number): Promise<number | "conflict" | "unknown"> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"unknown">((resolve) => {
      timer = setTimeout(() => resolve("unknown"), withinMs);
    });
    // A late write may still be stored: it is ours, and claim() recognizes its engine.
    const append = this.#publisher.append(this.#subject, jsonBytes(record), expect);
    append.catch(() => {}); // it may fail when nobody waits for it any more
    const result = await Promise.race([append, late]).finally(() => clearTimeout(timer));
    if (result === "unknown") return "unknown";
    if (!result.ok) return "conflict";
    this.#revision = result.seq;
    this.#newest = Math.max(this.#newest, result.seq);
    return result.seq;
  }
}

/** Undefined if the data is not a lease record: then nobody holds the lease. */
function recordIn(data: Uint8Array): LeaseRecord | undefined {
  const record = shallowJsonOf(data);
  return isLeaseRecord(record) ? record : undefined;
}
