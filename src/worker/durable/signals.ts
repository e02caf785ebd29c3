// The signals to a durable run, as its worker reads them where they are stored.

export type OpenSignal = (key: string, name: string, data: unknown) => unknown;

export interface StoredSignal {
  readonly sequence: number;
  /** Units: epoch milliseconds, by the store */
  readonly time: number;
  /** JSON; empty for undefined. */
  readonly data: string;
}

export interface SignalSource {
  /** Calls back when a signal to this run is about to be stored. Returns a function that stops it. */
  watch(key: string, onSignal: () => void): () => void;
  /** Reads the first signal of this name after a sequence, from the stream's leader. Fails: StoreUnavailable */
  next(key: string, name: string, after: number): Promise<StoredSignal | undefined>;
}
