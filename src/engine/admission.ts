// Refuses new runs before the store is full: a full store would refuse outcomes too. It does so at `maxBytes`, above which the stream's own
// limit leaves a reserve; while the reserve of the server's space is released; and while the log accepts nothing. Clients are told at once and
// find the flag in the bucket when they connect.
import type { Leader } from "../leader/leader.ts";
import type { Reserve } from "../nats/reserve.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import { whatToDo } from "../nats/stream-watch.ts";
import { encodeMessage } from "../wire/messages.ts";
import type { AdmissionFlag } from "../wire/records.ts";

export interface AdmissionOptions {
  readonly reserve: Reserve;
  readonly watch: StoreWatch | undefined;
  /** Stored bytes at which new runs are refused; undefined is no limit, and lifts the flag of a leader that had one. */
  readonly maxBytes: number | undefined;
}

/** Whether the log still accepts writes; an idle leader has no other way to know. */
const tryEveryLooks = 5;
/** Reopens only when there is some room, so that the flag does not flicker. */
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

  /** Also called by engines that do not lead: without space none could. Clients first, or they would use it. */
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

  /** Another leader may have announced something since this engine last led. */
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
