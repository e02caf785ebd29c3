// The output of an inline worker's tasks; only the test sees it.
import { cutText } from "../domain/printable.ts";
import { toText } from "../domain/thrown.ts";
import type { LineLevel, LogLine, Progress, StreamChunk } from "../domain/transcript.ts";
import { jsonOf } from "../wire/bytes.ts";
import { readChunk } from "../wire/transcript-entry.ts";
import type { Attempt } from "../worker/attempt.ts";
import { fieldBytes } from "../worker/transcripts/line.ts";
import { chunkOf, type Voice } from "../worker/transcripts/voice.ts";

/** The output of a run, all attempts together. */
export interface InlineTranscript {
  readonly logs: LogLine[];
  readonly chunks: StreamChunk[];
  progress: Progress | undefined;
}

export const emptyTranscript = (): InlineTranscript => ({ logs: [], chunks: [], progress: undefined });

/** Adds to `transcript` what a worker would store, but without a limit. */
export function inlineVoice({ assignment, isOver }: Attempt, transcript: InlineTranscript, now: () => number): Voice {
  const { attempt, turn } = assignment;
  let isHeard = !isOver;
  const said = () => ({ attempt, turn, at: now() });
  const line = (level: LineLevel) => (message: string, fields?: Record<string, unknown>) => {
    const kept = jsonOf(fieldBytes(fields)) as LogLine["fields"];
    if (!isHeard) return;
    transcript.logs.push({ ...said(), level, message: cutText(toText(message)), ...(kept && { fields: kept }) });
  };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    progress: (fraction, note) => {
      if (isHeard) transcript.progress = { ...said(), fraction, ...(note !== undefined && { note }) };
    },
    stream: (chunk) => {
      const { form, body } = chunkOf(0, chunk);
      if (isHeard) transcript.chunks.push({ ...said(), value: readChunk(form, body) });
      return Promise.resolve();
    },
    end: () => {
      isHeard = false;
      return undefined;
    },
  };
}
