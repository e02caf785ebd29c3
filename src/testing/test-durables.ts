// The durable runs of a test: journals and children in memory, with the test's clock.
import { describeClass } from "../../decorators/scan.ts";
import { childIdOf } from "../domain/durable.ts";
import type { Log } from "../domain/log.ts";
import { keyOf } from "../domain/run.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import type { RunEntry } from "../wire/run-entry.ts";
import { type ChildrenOfRun, childEntry, type ParentRun, resultOf } from "../worker/durable/children.ts";
import { DurableRuns } from "../worker/durable/durable-runs.ts";
import { KeptFrames } from "../worker/durable/kept-frames.ts";
import { type Clock, soon } from "./clock.ts";
import type { MemoryJournal } from "./memory-journal.ts";

export interface TestDurablesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: MemoryJournal;
  readonly create: (task: string, id: string, entry: RunEntry) => void;
  readonly outcomeAt: (seq: number, index: number) => FoldedOutcome;
  readonly onLeftBehind: (key: string, ops: readonly string[]) => void;
}

export function durablesOf({ clock, log, journal, create, outcomeAt, onLeftBehind }: TestDurablesParts): DurableRuns {
  const childrenOf = (parent: ParentRun): ChildrenOfRun => {
    const entryOf = (input: string, atOnce?: number) => childEntry(parent, clock.now(), input, atOnce);
    const { origin } = parent;
    return {
      create: async ({ task, lap, ordinal, inputs, atOnce }) => {
        for (const [place, input] of inputs.entries())
          create(task, childIdOf({ origin, lap, ordinal, place }), entryOf(input, atOnce));
      },
      enqueue: async (task, id, input) => create(task, id, entryOf(input)),
      read: async ({ task, lap, ordinal }, ends) =>
        ends.map((end, place) => {
          if (end === null) return null;
          return resultOf(outcomeAt(end.seq, end.index), keyOf(task, childIdOf({ origin, lap, ordinal, place })));
        }),
    };
  };
  return new DurableRuns({
    ...{ journal, log, graceMs: 5_000, isHeard: () => true, frames: new KeptFrames(), childrenOf, onLeftBehind },
    clock: {
      now: () => clock.now(),
      set: (act, ms) => clock.at(clock.now() + Math.max(ms, 1), () => soon(act).done),
      clear: (callOff) => (callOff as (() => void) | undefined)?.(),
      random: () => 0.5,
    },
    taskOf: (worker, method) => {
      const { tasks } = describeClass(worker);
      const task = tasks.get(method);
      if (task !== undefined) return task.name;
      throw new TypeError(`${worker.name}.${method} is not a task; use one of ${[...tasks.keys()].join(", ")}`);
    },
  });
}
