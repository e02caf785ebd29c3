/** A worker is given up when it was silent for so long, and its runs are queued again. Units: milliseconds */
export const goneAfterMs = 30_000;

/** A worker that no engine has answered for so long stops what counts for a concurrency limit. Units: milliseconds */
export const stopAfterMs = 25_000;

/** Counted from its last heartbeat: whatever counts for a concurrency limit has stopped by then. Units: milliseconds */
export const stoppedAfterMs = 40_000;
