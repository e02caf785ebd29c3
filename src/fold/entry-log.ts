import { Deque } from "../collections/deque.ts";

/** An entry with many runs. */
export interface Bundle {
  readonly name: string;
  readonly keys: readonly string[];
}
/** The content of an entry: the run of a key, or many. */
export type Content = string | Bundle;

export const keysIn = (content: Content): readonly string[] => (typeof content === "string" ? [content] : content.keys);

/**
 * Where the run entries of a task are in the stream, oldest first, so that garbage can be purged by prefix.
 * Conservative: entries that another engine purged or replaced stay listed until they are encountered.
 */
export class EntryLog {
  readonly seqs = new Deque<number>();
  readonly contents = new Deque<Content>();
  /** Finished runs with an entry: those whose entry can go, and those in finished form or with an input, which stay until their key is forgotten. */
  garbage = 0;
  kept = 0;
  /** Everything below is garbage, and everything below `purgedTo` is known to be gone. */
  clearTo = 0;
  purgedTo = 0;
  /** Number of positions at which the list is worth sweeping. */
  pruneAt = 4_096;

  push(seq: number, content: Content): void {
    this.seqs.push(seq);
    this.contents.push(content);
  }
  /** Some of what counts as gone may still be stored. */
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
  /** Drops stale positions. */
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
