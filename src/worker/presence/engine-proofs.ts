// The proofs of engines: a message counts if it comes from an engine that knows this worker's secret, and is not a replay.
import { type ProvenVerb, proofOf } from "../../runtime/worker-identity.ts";

interface Proven {
  readonly epoch: number;
  readonly n?: number | undefined;
  readonly proof?: string | undefined;
}

/** By how many numbers messages may overtake each other. */
const window = 256;

export class EngineProofs {
  readonly #secret: string;
  readonly #verb: ProvenVerb;
  #epoch = -1;
  #last = 0;
  readonly #seen = new Set<number>();

  constructor(secret: string, verb: ProvenVerb) {
    this.#secret = secret;
    this.#verb = verb;
  }

  /** Admits a message once. The caller has checked that its epoch is not older than the newest one known. */
  admits({ epoch, n = 0, proof }: Proven): boolean {
    if (proof !== proofOf(this.#secret, this.#verb, epoch, n)) return false;
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#last = 0;
      this.#seen.clear();
    }
    if (n <= this.#last - window || this.#seen.has(n)) return false;
    this.#seen.add(n);
    this.#last = Math.max(this.#last, n);
    if (this.#seen.size > 2 * window)
      for (const old of this.#seen) if (old <= this.#last - window) this.#seen.delete(old);
    return true;
  }
}
