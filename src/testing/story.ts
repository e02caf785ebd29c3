// The story of a run, as a test sees it: what a client would see, from the scheduler and the log, and the run's output.
import type { ErrorRecord } from "../domain/error-record.ts";
import { keyOf, type RunInfo } from "../domain/run.ts";
import { describeRun } from "../requests/describe.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { openAttempts, openError, openInput, openOutput } from "../sealing/sealed.ts";
import type { Vault } from "../sealing/vault.ts";
import { jsonOf } from "../wire/bytes.ts";
import { Outcome } from "../wire/outcome-entry.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { InlineRun } from "./inline-run.ts";
import type { InlineTranscript } from "./inline-voice.ts";
import type { MemoryLog } from "./memory-log.ts";

export function storyOf(scheduler: Scheduler, log: MemoryLog, key: string, said: InlineTranscript): InlineRun {
  const { info, at } = describeRun(scheduler, key)!;
  const end = "outcomeSeq" in at ? endOf(log, at.outcomeSeq, at.index) : {};
  const whole = { ...info, ...end };
  const last = whole.attempts.findLast(({ startedAt }) => startedAt > 0);
  return {
    ...(last && { startedAt: last.startedAt, worker: last.worker }),
    ...whole,
    input: jsonOf(log.inputOf(key)),
    logs: [...said.logs],
    chunks: [...said.chunks],
    progress: said.progress,
  };
}

/** Decrypts a story. All keys are in this process, so that it does not wait. */
export function openStory(vault: Vault, story: InlineRun): InlineRun {
  const { task, id, input, output, error, attempts } = story;
  const key = keyOf(task, id);
  return {
    ...story,
    input: openInput(vault, task, key, input),
    attempts: openAttempts(vault, key, attempts) as RunInfo["attempts"],
    ...(output !== undefined && { output: openOutput(vault, key, output) }),
    ...(error !== undefined && { error: openError(vault, key, error) as ErrorRecord }),
  };
}

function endOf(log: MemoryLog, seq: number, index: number): Partial<RunInfo> {
  const outcome = log.outcomeAt(seq, index);
  const { attempts, priority, error, reason } = outcome.detail as FinalDetail;
  const output = outcome instanceof Outcome && outcome.output.length > 0 ? { output: jsonOf(outcome.output) } : {};
  return { attempts, priority, ...output, ...(error && { error }), ...(reason !== undefined && { reason }) };
}
