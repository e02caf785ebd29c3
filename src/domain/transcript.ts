// What a run says while it is executed: lines, progress, chunks. Readers get it as it was said, also after the run has ended.
export const lineLevels = ["debug", "info", "warn", "error"] as const;
/** How important a line is. */
export type LineLevel = (typeof lineLevels)[number];

/** Lines of a run that are stored, those of all its attempts together. */
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
  /** What was given beside the text. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Set on the mark that stands for lines which are not stored: how many; `message` says so too. */
  readonly dropped?: number;
}

/** A chunk of `ctx.stream`. */
export interface StreamChunk extends Said {
  /** As it was given: text, bytes, or any other JSON value. */
  readonly value: unknown;
  /** What the attempt said right before this chunk and is not stored any more, or never was: how many chunks and lines. */
  readonly missed?: number;
}

/** The newest `ctx.progress` of a run. */
export interface Progress extends Said {
  /** 0 to 1 */
  readonly fraction: number;
  /** What the task said beside the fraction. */
  readonly note?: string;
}
