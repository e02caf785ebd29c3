export type AppendResult =
  | { readonly ok: true; readonly seq: number }
  /** The subject has another sequence than expected: `lastSeq`, if the server says. */
  | { readonly ok: false; readonly conflict: true; readonly lastSeq?: number };

/** Somebody in this process who learns of stored entries anyway, so that the server need not acknowledge them. */
export interface Witness {
  readonly isListening: () => boolean;
  /** Calls `seen` once for an entry, by its subject, which must be unique forever. Returns a function that stops it. */
  watch(subject: string, seen: (seq: number) => void): () => void;
}

export interface AppendOptions {
  /** If it watches, the server is asked for an acknowledgement only if the entry is not seen within a second. */
  readonly witness?: Witness | undefined;
  /** Asked before each copy is sent; once it says no, the append fails. */
  readonly maySend?: (() => boolean) | undefined;
  /** It replaces all messages of its subject. */
  readonly replaces?: boolean;
}

/** An append without an answer yet. Only the publisher writes to it. */
export interface PendingAppend {
  /** Names its replies; 0 until it is sent. */
  token: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly expect: number | undefined;
  readonly options: AppendOptions;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  /** While the witness watches. */
  unwatch: (() => void) | undefined;
  overdueAt: number;
  tries: number;
}
