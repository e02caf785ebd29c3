// The admission refuses new runs before the store is full, because a full store would refuse outcomes too. It refuses them at `maxBytes`, above
// which the stream's own limit leaves a reserve; while the reserve of the server's space is released; and while the log accepts no writes.
// Clients are told at once, and those that connect later find the flag in the bucket.
import type { Leader } from "../leader/leader.ts";
import type { Reserve } from "../nats/reserve.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import { whatToDo } from "../nats/stream-watch.ts";
import { encodeMessage } from "../wire/messages.ts";
import type { AdmissionFlag } from "../wire/records.ts";

export interface AdmissionOptions {
  readonly reserve: Reserve;
  readonly watch: StoreWatch | undefined;
  /** Stored bytes at which new runs are refused. Undefined is no limit, and also lifts the flag that a leader with a limit has set. */
  readonly maxBytes: number | undefined;
}

/** Every so many looks, the log is asked whether it still accepts writes: an idle leader has no other way to know. */
const tryEveryLooks = 5;
/** New runs are accepted again only below this part of `maxBytes`, so that the flag does not flicker. */
const reopenBelow = 0.95;
const noRoom = "the server is out of storage; raise its JetStream limits, or delete what is not needed";

export class Admission {
  readonly #leader: Leader;
  readonly #options: AdmissionOptions;
  readonly #ends: (() => void)[];
  /** What clients were last told; undefined until the bucket was read. */
  #flag: Pick<AdmissionFlag, "isOpen" | "reason"> | undefined;
  #looks = 0;

  constructor(leader: Leader, options: AdmissionOptions) {
    this.#leader = leader;
    this.#options = options;
    const { link } = leader;
    const { watch } = options;
    const watched = watch === undefined ? [] : [watch.runs, watch.bucket, watch.lease];
    this.#ends = [
      ...watched.map((stream) => stream.onChange(() => stream.trouble?.fault === "full" && void this.#makeRoom())),
      link.onReconnect(() => options.reserve.tryAgain()),
    ];
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  /** Releases the reserve. Engines that do not lead do this too: without space none could lead. Clients are told first, or their runs would use it. */
  async #makeRoom(): Promise<void> {
    const { link, subjects, log } = this.#leader;
    const { reserve } = this.#options;
    try {
      const bytes = await reserve.usedBytes();
      const flag: AdmissionFlag = { isOpen: false, bytes, maxBytes: bytes, reason: noRoom };
      link.nc.publish(subjects.admission, encodeMessage(flag));
      await link.nc.flush();
      await reserve.release(bytes);
      log.warn("the reserved space is released so that waiting runs can finish", { bytes: reserve.size });
    } catch (error) {
      log.warn("the reserved space could not be released", { error });
    }
  }

  /** Forgets what clients were told: another leader may have told them something else since this engine last led. */
  begin(): void {
    this.#flag = undefined;
    this.#options.reserve.forget();
  }

  /** To be called once a second while this engine leads. */
  async look(): Promise<void> {
    const { store, log, link, bucket } = this.#leader;
    const { watch, maxBytes = Number.MAX_SAFE_INTEGER } = this.#options;
    if (!link.isConnected()) return;
    if (this.#looks++ % tryEveryLooks === 0) void watch?.runs.suspect();
    if (this.#hasNothingToDo) return;
    try {
      this.#flag ??= (await bucket.admission.find())?.record ?? { isOpen: true };
      const reason = await this.#obstacle();
      const bytes = await store.storedBytes();
      const isOpen = reason === undefined && bytes < maxBytes * (this.#flag.isOpen ? 1 : reopenBelow);
      const flag: AdmissionFlag = { isOpen, bytes, maxBytes, ...(reason !== undefined && { reason }) };
      if (isOpen !== this.#flag.isOpen || reason !== this.#flag.reason) await this.#tell(flag);
      this.#flag = flag;
    } catch (error) {
      log.debug("the size of the log is not known", { error });
    }
  }

  get #hasNothingToDo(): boolean {
    const { maxBytes, watch, reserve } = this.#options;
    return this.#flag?.isOpen === true && maxBytes === undefined && reserve.isWhole === true && !watch?.runs.trouble;
  }

  /** Why nothing new is accepted, apart from `maxBytes`. */
  async #obstacle(): Promise<string | undefined> {
    const { watch, reserve } = this.#options;
    const trouble = watch?.runs.trouble;
    if (trouble !== undefined && trouble.fault !== "full") return whatToDo(trouble);
    const wasMissing = reserve.isWhole === false;
    if (!(await reserve.restore())) return noRoom;
    if (wasMissing)
      this.#leader.log.warn("there is room again, and the reserved space is restored", { bytes: reserve.size });
    return undefined;
  }

  async #tell(flag: AdmissionFlag): Promise<void> {
    const { bucket, link, subjects, log, holdsLease } = this.#leader;
    link.nc.publish(subjects.admission, encodeMessage(flag));
    const { reason = "the log has reached maxBytes" } = flag;
    log.warn(flag.isOpen ? "new runs are accepted again" : `new runs are refused: ${reason}`, {
      bytes: flag.bytes,
      maxBytes: flag.maxBytes,
    });
    await bucket.admission.put(flag, holdsLease);
  }
}
