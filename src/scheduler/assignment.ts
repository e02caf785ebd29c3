// An assignment as the scheduler makes it of a run.
import type { Resume } from "../domain/durable.ts";
import { termsOf } from "../domain/policies.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { priorityOf } from "../matching/task-queue.ts";
import type { Assignment } from "../wire/assignment.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import { waiterOf } from "../wire/result-inbox.ts";

/** The run as its worker gets it. */
export function assignmentOf(
  run: LiveRun,
  input: Uint8Array,
  follows: boolean,
  resume: Resume | undefined,
): Assignment {
  const { metadata, history, placement, scheduleTimeoutMs } = run;
  const terms = termsOf(placement, scheduleTimeoutMs);
  const isPlain = metadata === undefined && terms === undefined && history.length === 0 && resume === undefined;
  const extra = isPlain
    ? noBytes
    : jsonBytes({
        ...(metadata && { metadata }),
        ...(terms && { terms }),
        ...(history.length > 0 && { history }),
        ...(resume && { resume }),
      });
  return {
    key: run.key,
    priority: priorityOf(run),
    turn: run.turn,
    attempt: run.attempt,
    origin: run.origin,
    createdAt: run.createdAt,
    waiter: waiterOf(run.inbox),
    follows,
    extra,
    input,
  };
}
