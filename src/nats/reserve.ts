// The reserve: space that runs cannot use, a stream full of empty bytes. It is released when the server refuses to store anything for lack of
// space, so that waiting runs can finish (ADR 23). The limit need not be known for that: only the server knows it.
import { jsonOf, noBytes } from "../wire/bytes.ts";
import type { Subjects } from "../wire/subjects.ts";
import { askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { infoIfThere, purgeSubject } from "./stream-api.ts";
import { ensureStream } from "./streams.ts";

/** Enough for leases, and for the outcomes of some ten thousand runs. Units: bytes */
const size = 4 * 1_024 * 1_024;
/** It is filled again only when less than this part of the space is in use, so that it is not released at once. */
const refillBelow = 0.95;
/** After this time filling it is tried anyway: the limit may be another by now. */
const refillEveryMs = 30_000;
const largestBlock = 512 * 1_024;

export class Reserve {
  readonly size = size;
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #subject: string;
  readonly #replicas: 1 | 3;
  /** Whether all of the reserve is stored, as far as this engine knows; undefined until it has looked. */
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

  /** Creates the reserve if there is none yet. Fails: StoreUnavailable, PermissionDenied, NotEnsured */
  async make(): Promise<void> {
    if ((await this.#bytes()) === undefined) await this.fill();
  }

  /** Forgets what is known: another leader may have changed the reserve. */
  forget(): void {
    this.isWhole = undefined;
  }

  /** Lets the next `restore` try at once: a server that was restarted may have other limits. */
  tryAgain(): void {
    this.#filledAt = Number.NEGATIVE_INFINITY;
  }

  /** Looks for the reserve if nothing is known, and fills it again if there may be room. Returns whether it is whole. Fails: StoreUnavailable, PermissionDenied */
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

  /** Fills the reserve. Returns whether there was room for all of it; if not, nothing of it is kept. */
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
      await this.#clear().catch(() => {}); // whoever leads tries again
      return false;
    }
  }

  /** Releases the space. `fullAt`: how many bytes are in use now that there is no more room. Fails: StoreUnavailable, PermissionDenied */
  async release(fullAt: number): Promise<void> {
    await this.#clear();
    this.#fullAt = fullAt;
    this.#filledAt = performance.now();
    this.isWhole = false;
  }

  /** Purges the whole stream, which needs no space. To remove single subjects would write something where nothing can be written. */
  async #clear(): Promise<void> {
    await purgeSubject(this.#link, this.#stream, ">", { mayBeMissing: true });
  }

  /** How many bytes the account stores. Fails: StoreUnavailable, PermissionDenied */
  async usedBytes(): Promise<number> {
    const { data } = await askStore(this.#link, "$JS.API.INFO", noBytes, { operation: "tell what is used" });
    return (jsonOf(data) as { storage?: number }).storage ?? 0;
  }

  async #bytes(): Promise<number | undefined> {
    return (await infoIfThere(this.#link, this.#stream)).state?.bytes;
  }
}
