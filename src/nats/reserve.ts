// Space that runs cannot use: a stream of empty bytes, released when the server or the account refuses to store anything for lack of space. The
// limit need not be known for that; only the server knows it.
import { jsonOf, noBytes } from "../wire/bytes.ts";
import type { Subjects } from "../wire/subjects.ts";
import { askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { infoIfThere, purgeSubject } from "./stream-api.ts";
import { ensureStream } from "./streams.ts";

/** Leases and the outcomes of some ten thousand runs. */
const size = 4 * 1_024 * 1_024;
/** Filled again only when there is some room, so that it is not released at once. */
const refillBelow = 0.95;
/** The limit may be another by now. */
const refillEveryMs = 30_000;
const largestBlock = 512 * 1_024;

export class Reserve {
  readonly size = size;
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #subject: string;
  readonly #replicas: 1 | 3;
  /** As far as known; undefined until it was looked for. */
  isWhole: boolean | undefined;
  /** Bytes in use when the space ran out. */
  #fullAt: number | undefined;
  #filledAt = Number.NEGATIVE_INFINITY;

  constructor(link: NatsLink, subjects: Subjects, replicas: 1 | 3) {
    this.#link = link;
    this.#stream = subjects.reserveStream;
    this.#subject = subjects.reserve;
    this.#replicas = replicas;
  }

  /** Creates it if there is none yet. Fails: StoreUnavailable, PermissionDenied, NotEnsured */
  async make(): Promise<void> {
    if ((await this.#bytes()) === undefined) await this.fill();
  }

  /** Another leader may have changed it. */
  forget(): void {
    this.isWhole = undefined;
  }

  /** A server that was restarted may have other limits. */
  tryAgain(): void {
    this.#filledAt = Number.NEGATIVE_INFINITY;
  }

  /** Looks for it if nothing is known, and fills it again if there may be room: whether it is whole. Fails: StoreUnavailable, PermissionDenied */
  async restore(): Promise<boolean> {
    this.isWhole ??= ((await this.#bytes()) ?? 0) >= size;
    if (!this.isWhole && (await this.#mayFit())) {
      this.#filledAt = performance.now();
      this.isWhole = await this.fill();
    }
    return this.isWhole;
  }

  async #mayFit(): Promise<boolean> {
    if (performance.now() - this.#filledAt >= refillEveryMs) return true;
    return this.#fullAt !== undefined && (await this.usedBytes()) + size < this.#fullAt * refillBelow;
  }

  /** Whether there was room for all of it; if not, none is kept. */
  async fill(): Promise<boolean> {
    try {
      await ensureStream(this.#link, {
        name: this.#stream,
        subjects: [`${this.#subject}.*`],
        storage: "file",
        max_msgs_per_subject: 1,
        discard: "new",
        num_replicas: this.#replicas,
      });
      const block = new Uint8Array(Math.min(largestBlock, Math.floor(this.#link.maxPayload / 2)));
      for (let from = 0, n = 0; from < size; from += block.length, n += 1)
        await askStore(this.#link, `${this.#subject}.${n}`, block, { operation: "reserve room", withinMs: 2_000 });
      this.#fullAt = undefined;
      return true;
    } catch {
      await this.#clear().catch(() => {}); // tried again by whoever leads
      return false;
    }
  }

  /** Releases the space, since with so many bytes in use there is no more. Fails: StoreUnavailable, PermissionDenied */
  async release(fullAt: number): Promise<void> {
    await this.#clear();
    this.#fullAt = fullAt;
    this.#filledAt = performance.now();
    this.isWhole = false;
  }

  /** All of the stream, which takes no space itself: removing subjects would write where nothing can be written. */
  async #clear(): Promise<void> {
    await purgeSubject(this.#link, this.#stream, ">", { mayBeMissing: true });
  }

  /** Bytes that the account stores. Fails: StoreUnavailable, PermissionDenied */
  async usedBytes(): Promise<number> {
    const { data } = await askStore(this.#link, "$JS.API.INFO", noBytes, { operation: "tell what is used" });
    return (jsonOf(data) as { storage?: number }).storage ?? 0;
  }

  async #bytes(): Promise<number | undefined> {
    return (await infoIfThere(this.#link, this.#stream)).state?.bytes;
  }
}
