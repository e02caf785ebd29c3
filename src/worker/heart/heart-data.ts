/** What the event loop of a process shares with its heartbeat thread. */
export interface HeartData {
  /** In shared memory, see `cell`. */
  readonly cells: Int32Array<SharedArrayBuffer>;
}

/** What the thread is sent while the loop makes progress, as JSON. */
export interface ToHeart {
  /** `NatsOptions` without its function. */
  readonly nats: string;
  /** The registration of each worker, without its tasks. */
  readonly workers: string;
}
/** Sent once. */
export interface TasksToHeart {
  readonly worker: string;
  readonly tasks: string;
}

export const cell = {
  /** 1 when the thread is to end. */
  ended: 0,
  /** Counts up while the loop turns, once a second. */
  turns: 1,
  /** In which turn the leader answered the thread last, and how late the loop was when that was asked. Units: milliseconds */
  heardIn: 2,
  heardAfter: 3,
} as const;

/** A loop that is later than this is blocked, not busy. The thread waits this long before it sends heartbeats. */
export const blockedAfterMs = 2_500;

export const cellBytes = 16;
