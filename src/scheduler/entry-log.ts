import { Deque } from "./deque.ts";

/**
 * Where the run entries of a task stand in the stream, oldest first, so that garbage can be purged by prefix.
 * Conservative: entries that another engine purged or replaced are still listed until they are met.
 */
export class EntryLog {
  readonly seqs = new Deque<number>();
  readonly keys = new Deque<string>();
  /** Entries of finished runs: those that can go, and those in finished form, which stay until their key is forgotten. */
  garbage = 0;
  compacted = 0;
  /** Everything below is garbage, and everything below `purgedTo` is known to be gone. */
  clearTo = 0;
  purgedTo = 0;
  isPurging = false;
  /** Number of positions at which the list is worth looking through. */
  pruneAt = 4_096;

  push(seq: number, key: string): void {
    this.seqs.push(seq);
    this.keys.push(key);
  }
  get size(): number {
    return this.seqs.size;
  }
  shift(): void {
    this.seqs.shift();
    this.keys.shift();
  }
  /** Drops positions that are no longer true. */
  prune(isTrue: (seq: number, key: string) => boolean): void {
    const { seqs, keys } = this;
    for (let left = seqs.size; left > 0; left--) {
      const seq = seqs.shift()!;
      const key = keys.shift()!;
      if (isTrue(seq, key)) this.push(seq, key);
    }
    this.pruneAt = 2 * this.size + 4_096;
  }
}
