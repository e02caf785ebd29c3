/** A worker that has been silent for this long is given up, and its runs are queued again. Units: milliseconds */
export const goneAfterMs = 30_000;

/** A worker that no engine has answered for this long stops the runs that count for a concurrency limit. Units: milliseconds */
export const stopAfterMs = 25_000;

/** Time after its last heartbeat by which every run that counts for a concurrency limit has stopped. Units: milliseconds */
export const stoppedAfterMs = 40_000;
