// The newest epoch: a worker takes nothing from a leader that is older than the newest one it knows. Even a message without a proof is believed at
// once, since an older leader may still send runs. But it is believed no longer than the new leader may take to answer: otherwise whoever can publish
// could keep workers idle.

/** How long an epoch of which nothing is heard still counts as the newest. */
const believedMs = 10_000;
/** How long no unproven epoch is believed after one that did not exist. */
const distrustMs = 600_000;
const overhearEveryMs = 1_000;

export class NewestEpoch {
  value = 0;
  readonly #now: () => number;
  /** When somebody last spoke for this epoch. */
  #heardAt = 0;
  /** Whether nobody has proved yet that this epoch exists. */
  #isRumour = false;
  #distrustUntil = 0;
  #overheardAt = Number.NEGATIVE_INFINITY;

  /** `now`: milliseconds of a monotonic clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes an epoch that an engine has named, in an answer or with a proof. */
  hear(epoch: number): void {
    if (epoch >= this.value) this.#set(epoch);
  }

  /** Takes an epoch that anybody may have named. Returns false if there is nothing to do about it. */
  overhear(epoch: number): boolean {
    if (epoch <= this.value) return true;
    const now = this.#now();
    if (now < this.#distrustUntil) {
      if (now - this.#overheardAt < overhearEveryMs) return false;
      this.#overheardAt = now;
      return true;
    }
    this.value = epoch;
    if (!this.#isRumour) this.#heardAt = now;
    this.#isRumour = true;
    return true;
  }

  /**
   * The worker is registered with the leader of this epoch. Returns false if it is older than the newest one, which may still answer; `silent` if
   * that does not, and perhaps never existed.
   */
  follow(epoch: number): "newest" | "silent" | false {
    const isOlder = epoch < this.value;
    if (isOlder && this.#now() - this.#heardAt < believedMs) return false;
    if (isOlder && this.#isRumour) this.#distrustUntil = this.#now() + distrustMs;
    this.#set(epoch);
    return isOlder ? "silent" : "newest";
  }

  #set(epoch: number): void {
    this.value = epoch;
    this.#isRumour = false;
    this.#heardAt = this.#now();
  }
}
