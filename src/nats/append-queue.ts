export type AppendResult =
  | { readonly ok: true; readonly seq: number }
  /** The subject has another sequence than expected: `lastSeq`, where the server says it. */
  | { readonly ok: false; readonly conflict: true; readonly lastSeq?: number };

/** Somebody of this process who hears of what is stored anyway, so that the server need not acknowledge it. */
export interface Witness {
  readonly isListening: () => boolean;
  /** `seen` hears once of an entry, by its subject, which must be the only one of that subject ever. Returns the function that ends it. */
  watch(subject: string, seen: (seq: number) => void): () => void;
}

/** An append that the server has not answered yet. Only the publisher writes to it. */
export interface PendingAppend {
  /** Names its replies; 0 until it is sent. */
  token: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly expect: number | undefined;
  /** Takes the place of all messages of its subject. */
  readonly replaces: boolean;
  readonly witness: Witness | undefined;
  /** Asked before each time that it is sent. */
  readonly maySend: (() => boolean) | undefined;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  /** While the witness watches. */
  unwatch: (() => void) | undefined;
  overdueAt: number;
  tries: number;
}

const compactFrom = 4_096;

/** First in, first out, without the cost of `shift` on a long array and without keeping what was taken. */
export class AppendQueue {
  #items: (PendingAppend | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(append: PendingAppend): void {
    this.#items.push(append);
  }

  /** The oldest; only when there is one. */
  take(): PendingAppend {
    const append = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined;
    if (this.#head >= compactFrom && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return append;
  }

  takeAll(): PendingAppend[] {
    const appends = this.#items.slice(this.#head) as PendingAppend[];
    this.#items = [];
    this.#head = 0;
    return appends;
  }
}
