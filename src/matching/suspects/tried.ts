// Notes of attempts that may kill the leader: made before they are sent, and read by the next leader.
/** An attempt that a leader noted before it sent it. */
export interface Tried {
  readonly key: string;
  readonly turn: number;
  readonly worker: string;
  /** Nothing else was executing in its process. */
  readonly alone?: boolean;
}

/** How cautious a leader is: it applies to runs up to the sequence `upTo`, which were live when a leader died, and to `left` more assignments. */
export interface Cautious {
  readonly upTo: number;
  readonly left: number;
}
export interface Caution extends Cautious {
  left: number;
  /** A worker that the dead leader knew has not come back. */
  isProven: boolean;
}

/** Given before the assignments that it names. */
export interface StoreTriedCommand {
  readonly type: "storeTried";
  readonly tried: readonly Tried[];
  readonly cautious?: Cautious;
}
