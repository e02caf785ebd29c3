// What a sleeping run is waiting for, in one sentence.
import type { Wait } from "../../domain/durable.ts";
import type { Waiting } from "../../domain/run.ts";
import { shownTime } from "../../domain/time.ts";
import type { Fold } from "../../fold/fold.ts";
import type { LiveRun } from "../../fold/live-run.ts";

const words = { timer: "a moment", signal: "a signal", children: "its children" } as const;

export function explainSleep(fold: Fold, run: LiveRun): Waiting {
  const { flow } = run;
  if (flow === undefined) {
    const because = `as many of its siblings as may be (${run.placement?.atOnce ?? 0}) are under way`;
    return { for: "its siblings", because };
  }
  const { blocked, waits } = flow;
  if (blocked?.again !== undefined)
    return { for: "its key", because: `tried again at ${shownTime(blocked.again)}: ${blocked.reason}` };
  if (blocked !== undefined)
    return { for: "its code", because: `no worker with a free slot has matching code: ${blocked.reason}` };
  const [first] = waits;
  if (first === undefined) return { for: "a signal", because: "it is only waiting to be cancelled" };
  return { for: words[first.kind], because: waits.map((wait) => explain(fold, run, wait)).join(", or ") };
}

function explain(fold: Fold, run: LiveRun, wait: Wait): string {
  if (wait.kind === "timer") return `until ${shownTime(wait.deadline)}`;
  if (wait.kind === "signal") return `for the signal "${wait.name}"`;
  const { task, size, ordinal } = wait;
  const ended = fold.families.group(run.origin, run.flow!.lap, ordinal)?.ended ?? 0;
  if (size === 1) return `for its child, a run of task "${task}"`;
  return `for ${size - ended} of its ${size} children, runs of task "${task}"`;
}
