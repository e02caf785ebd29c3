// What a test gets of a run that was executed inline.
import type { RunInfo } from "../domain/run.ts";
import type { LogLine, Progress, StreamChunk } from "../domain/transcript.ts";

/** A run that was executed inline. */
export interface InlineRun extends RunInfo {
  /** All lines of `ctx.log`. */
  readonly logs: readonly LogLine[];
  /** All chunks of `ctx.stream`, as a reader gets them. */
  readonly chunks: readonly StreamChunk[];
  /** The newest `ctx.progress`. */
  readonly progress: Progress | undefined;
}
