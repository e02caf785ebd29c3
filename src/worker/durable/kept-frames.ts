// Kept frames: the frames of parked runs are kept for a while, so that a run that wakes on this worker continues without a replay. Dropping a
// frame executes none of its code.
import type { KeptFrame } from "./turn-host.ts";

export interface KeepOptions {
  /** @default 1_000 */
  readonly frames?: number;
  /** Units: milliseconds. @default 600_000 */
  readonly frameMs?: number;
}

interface Kept extends KeptFrame {
  readonly keptAt: number;
}

export class KeptFrames {
  readonly #most: number;
  readonly #mostMs: number;
  readonly #now: () => number;
  /** The frames by the origin of their run, in the order in which they were kept. */
  readonly #frames = new Map<number, Kept>();
  /** Set while there are frames. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ frames = 1_000, frameMs = 600_000 }: KeepOptions = {}, now: () => number = () => performance.now()) {
    this.#most = frames;
    this.#mostMs = frameMs;
    this.#now = now;
  }

  get size(): number {
    return this.#frames.size;
  }

  /** Whether {@link take} would return a frame. */
  has(origin: number, turn: number): boolean {
    const kept = this.#frames.get(origin);
    return kept !== undefined && kept.turn < turn;
  }

  keep(origin: number, frame: KeptFrame): void {
    this.#drop(origin);
    this.#frames.set(origin, { ...frame, keptAt: this.#now() });
    this.#watch();
    if (this.#frames.size > this.#most) this.#drop(this.#frames.keys().next().value!);
  }

  /** Takes the frame of a run, but only for a later turn than the one that left it: the run may have continued on another worker since. */
  take(origin: number, turn: number): KeptFrame | undefined {
    const kept = this.#frames.get(origin);
    if (kept === undefined) return undefined;
    if (kept.turn >= turn) {
      this.#drop(origin);
      return undefined;
    }
    this.#frames.delete(origin);
    return kept;
  }

  /** Drops the frames that were kept too long. */
  expire(): void {
    const oldest = this.#now() - this.#mostMs;
    for (const [origin, { keptAt }] of this.#frames) {
      if (keptAt > oldest) return;
      this.#drop(origin);
    }
  }

  clear(): void {
    for (const origin of [...this.#frames.keys()]) this.#drop(origin);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    if (this.#timer !== undefined || this.#frames.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.expire();
      this.#watch();
    }, this.#mostMs / 4);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #drop(origin: number): void {
    this.#frames.get(origin)?.frame.drop();
    this.#frames.delete(origin);
  }
}
