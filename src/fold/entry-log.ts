// An entry log: where the run entries of one task stand in the stream, so that those of finished runs can be purged by prefix.
import { Deque } from "../collections/deque.ts";

/** An entry with many runs. */
export interface Bundle {
  readonly name: string;
  readonly keys: readonly string[];
}
/** What an entry holds: one run, by its key, or many. */
export type Content = string | Bundle;

export const keysIn = (content: Content): readonly string[] => (typeof content === "string" ? [content] : content.keys);

/** Oldest first. Conservative: entries that another engine has purged or replaced stay listed until they are met. */
export class EntryLog {
  readonly seqs = new Deque<number>();
  readonly contents = new Deque<Content>();
  /**
   * Finished runs that still have an entry: one that may be purged, or one in finished form or with an input, which stays until its run is
   * forgotten. Written by `setEntry`.
   */
  garbage = 0;
  kept = 0;
  /** Every entry below `clearTo` is garbage, and every entry below `purgedTo` is known to be gone. */
  clearTo = 0;
  purgedTo = 0;
  /** The list is worth sweeping once it has this many positions. */
  pruneAt = 4_096;

  push(seq: number, content: Content): void {
    this.seqs.push(seq);
    this.contents.push(content);
  }
  /** Whether entries that count as gone may still be stored. */
  get isPurgeOpen(): boolean {
    return this.clearTo > this.purgedTo;
  }
  get size(): number {
    return this.seqs.size;
  }
  shift(): void {
    this.seqs.shift();
    this.contents.shift();
  }
  /** The bundle at a sequence; undefined if the entry is a single run. */
  bundleAt(seq: number): Bundle | undefined {
    const { seqs } = this;
    let low = 0;
    let high = seqs.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seqs.at(middle)! < seq) low = middle + 1;
      else high = middle;
    }
    const content = seqs.at(low) === seq ? this.contents.at(low) : undefined;
    return typeof content === "string" ? undefined : content;
  }
  /** Drops stale positions: those that `isTrue` confirms for none of their runs. */
  prune(isTrue: (seq: number, key: string) => boolean): void {
    const { seqs, contents } = this;
    for (let left = seqs.size; left > 0; left--) {
      const seq = seqs.shift()!;
      const content = contents.shift()!;
      if (keysIn(content).some((key) => isTrue(seq, key))) this.push(seq, content);
    }
    this.pruneAt = 2 * this.size + 4_096;
  }
}
