// A listing: a lane as it was when it was sorted. It keeps limits and lanes from importing each other.
/** When a key had its last turn: the number of that turn. */
export interface Turns {
  served: number;
}
/** A lane as a limit sees it. */
export interface ParkedLane {
  readonly lanes: LaneGroup;
  readonly listing: Listing<ParkedLane> | undefined;
}
export interface LaneGroup {
  /** Opens a lane: its next run may start, as far as is known. */
  open(lane: ParkedLane): void;
}
/** A lane as it was when it was sorted, among the open lanes or at the limit that stops it. Dead once the lane has another listing. */
export interface Listing<L> {
  readonly lane: L;
  priority: number;
  keyServed: number;
  served: number;
  origin: number;
  /** How much it needs of the limit that stops it. */
  units: number;
}

/** Highest priority first; then the key, and within it the lane, that has waited longest for a turn; then the oldest run. */
export const comesFirst = (a: Listing<unknown>, b: Listing<unknown>): boolean =>
  a.priority !== b.priority
    ? a.priority > b.priority
    : a.keyServed !== b.keyServed
      ? a.keyServed < b.keyServed
      : a.served !== b.served
        ? a.served < b.served
        : a.origin < b.origin;
