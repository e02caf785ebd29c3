// A run as a query answers it: what the scheduler knows, and the bytes that only the log has.
import type { RunInfo } from "../domain/run.ts";
import { jsonOf } from "../protocol/bytes.ts";
import type { RunFilter, RunList } from "../protocol/messages.ts";
import { decodeOutcomeEntry, type FinalDetail } from "../protocol/outcome-entry.ts";
import { describeRun, listRuns } from "../scheduler/describe.ts";
import type { SchedulerState } from "../scheduler/state.ts";
import type { Core } from "./core.ts";

/** Everything that is known of one run, with its input and output; null when the key is not known. Fails: StoreUnavailable */
export async function readRun(core: Core, key: string): Promise<RunInfo | null> {
  const run = describeRun(core.state, key);
  if (run === undefined) return null;
  if ("outcomeSeq" in run.at) return readFinished(core, run.info, run.at.outcomeSeq, run.at.index);
  const input = await core.payloads.read(key, run.at.entrySeq);
  return { ...run.info, ...(input && { input: jsonOf(input) }) };
}

/** The newest runs that match, without inputs and outputs. */
export function listInfos(state: SchedulerState, filter: RunFilter, limit: number, before?: number): RunList {
  const { runs, total } = listRuns(state, filter, limit, before);
  return { runs: runs.map(({ info }) => info), total };
}

const writerOf = (core: Core, subject: string): string => core.subjects.parseOutcome(subject).writer;

async function readFinished(core: Core, info: RunInfo, seq: number, index: number): Promise<RunInfo> {
  const stored = await core.store.read(seq);
  const outcome = stored && decodeOutcomeEntry(stored.data, writerOf(core, stored.subject)).outcomes[index];
  if (outcome === undefined) return info;
  const detail = outcome.detail as FinalDetail;
  const last = detail.attempts.at(-1);
  const input = await core.payloads.ofFinished(outcome);
  return {
    ...info,
    createdAt: detail.createdAt,
    priority: detail.priority || 1,
    attempts: detail.attempts,
    input: input && jsonOf(input),
    output: jsonOf(outcome.output),
    ...(last && { worker: last.worker, startedAt: last.startedAt }),
    ...(detail.error && { error: detail.error }),
    ...(detail.reason !== undefined && { reason: detail.reason }),
  };
}
