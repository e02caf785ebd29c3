/** An attempt that a leader noted before it was sent. */
export interface Tried {
  readonly key: string;
  readonly turn: number;
  readonly worker: string;
  /** Nothing else executed in the process. */
  readonly alone?: boolean;
}

/** Applies to runs up to this sequence, which were there when a leader died; how many of them are still to be noted. */
export interface Cautious {
  readonly upTo: number;
  readonly left: number;
}
export interface Caution extends Cautious {
  left: number;
  /** A worker that the leader knew did not come back. */
  isProven: boolean;
}

/** Given before the assignments that it names. */
export interface StoreTriedCommand {
  readonly type: "storeTried";
  readonly tried: readonly Tried[];
  readonly cautious?: Cautious;
}
