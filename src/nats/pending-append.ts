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
