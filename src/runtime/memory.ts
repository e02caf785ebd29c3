// Memory that the runtime could give back.
declare const Bun: { gc(force: boolean): void } | undefined;

/**
 * Releases memory that is no longer used. Stops the process for as long as a full collection takes (0.3 s with a million queued
 * runs), so it is for quiet moments; a runtime that does this by itself is left alone.
 */
export function releaseMemory(): void {
  if (typeof Bun !== "undefined") Bun.gc(true);
}
