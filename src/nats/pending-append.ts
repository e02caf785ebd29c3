// An append that is on its way, and what its caller may ask of it.
export type AppendResult =
  | { readonly ok: true; readonly seq: number }
  /** The subject has another last sequence than expected: `lastSeq`, if the server says which. */
  | { readonly ok: false; readonly conflict: true; readonly lastSeq?: number };

/** Somebody in this process who sees stored entries anyway, so that the server need not acknowledge them (ADR 14). */
export interface Witness {
  readonly isListening: () => boolean;
  /** Calls `seen` once for an entry, by its subject, which must be unique forever. Returns a function that stops it. */
  watch(subject: string, seen: (seq: number) => void): () => void;
}

export interface AppendOptions {
  /** While it is listening, the server is asked for an acknowledgement only if the entry is not seen within a second. */
  readonly witness?: Witness | undefined;
  /** Asked before each copy is sent. If it says no, the append fails. */
  readonly maySend?: (() => boolean) | undefined;
  /** The message replaces all others of its subject. */
  readonly replaces?: boolean;
}

/** Written by the publisher only. */
export interface PendingAppend {
  /** Identifies the replies to it; 0 until it is sent. */
  token: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly expect: number | undefined;
  readonly options: AppendOptions;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  /** Set while the witness watches for it. */
  unwatch: (() => void) | undefined;
  overdueAt: number;
  tries: number;
}
