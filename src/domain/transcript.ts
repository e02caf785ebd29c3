// The output of a run while it executes: lines, progress, chunks. Readers get all of it, even after the run has ended.
export const lineLevels = ["debug", "info", "warn", "error"] as const;
/** How important a line is. */
export type LineLevel = (typeof lineLevels)[number];

/** How many lines of a run are stored, across all its attempts. */
export const storedLines = 1_000;

/** Who said it. A lost or returned attempt is executed again under the same `attempt`, but never under the same `turn`. */
export interface Said {
  readonly attempt: number;
  readonly turn: number;
  /** When it was said. Units: epoch milliseconds, UTC, by the worker's clock */
  readonly at: number;
}

/** A line of `ctx.log`. */
export interface LogLine extends Said {
  /** How important it is. */
  readonly level: LineLevel;
  /** The text. */
  readonly message: string;
  /** Fields given with the text. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** How many lines this one stands for, which are not stored; `message` says so, too. */
  readonly dropped?: number;
}

/** A chunk of `ctx.stream`. */
export interface StreamChunk extends Said {
  /** As it was given: text, bytes, or any other JSON value. */
  readonly value: unknown;
  /** What the attempt said right before this chunk and is not stored any more, or never was: how many chunks and lines. */
  readonly missed?: number;
}

/** The latest `ctx.progress` of a run. */
export interface Progress extends Said {
  /** 0 to 1 */
  readonly fraction: number;
  /** The note given with the fraction. */
  readonly note?: string;
}
