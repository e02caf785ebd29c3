// The newest progress of an attempt: told in every entry, and as an utterance of its own not too often.
import { type ProgressMark, progressUtterance, type Utterance } from "../../wire/transcript-entry.ts";

const everyMs = 100;

export class LatestProgress {
  #mark: ProgressMark | undefined;
  #isNew = false;
  #toldAt = 0;

  get mark(): ProgressMark | undefined {
    return this.#mark;
  }
  /** Set, and not told since. */
  get isNew(): boolean {
    return this.#isNew;
  }

  set(mark: ProgressMark): void {
    this.#mark = mark;
    this.#isNew = true;
  }

  /** Nothing if none is new, or the last one was told just now; `isLast`: then it is told all the same. */
  take(now: number, isLast: boolean): Utterance[] {
    if (!this.#isNew || !(isLast || now - this.#toldAt >= everyMs)) return [];
    this.#isNew = false;
    this.#toldAt = now;
    return [{ ...progressUtterance(this.#mark!), at: now }];
  }

  giveUp(): void {
    this.#isNew = false;
  }
}
