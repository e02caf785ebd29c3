// The durable runs of a test: journals and children in memory, with the test's clock.
import { describeClass } from "../../decorators/scan.ts";
import { childIdOf } from "../domain/durable.ts";
import type { Log } from "../domain/log.ts";
import { keyOf } from "../domain/run.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import type { Vault } from "../sealing/vault.ts";
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
  readonly vault?: Vault | undefined;
  readonly create: (task: string, id: string, entry: RunEntry) => void;
  readonly outcomeAt: (seq: number, index: number) => FoldedOutcome;
  readonly onLeftBehind: ((key: string, ops: readonly string[]) => void) | undefined;
}

export function durablesOf(parts: TestDurablesParts): DurableRuns {
  const { clock, log, journal, vault, create, outcomeAt, onLeftBehind } = parts;
  const childrenOf = (parent: ParentRun): ChildrenOfRun => {
    const entryOf = (task: string, input: string, atOnce?: number) =>
      childEntry(parent, { task, createdAt: clock.now(), input, atOnce }, vault);
    const { origin } = parent;
    return {
      create: async ({ task, lap, ordinal, inputs, atOnce }) => {
        for (const [place, input] of inputs.entries())
          create(task, childIdOf({ origin, lap, ordinal, place }), entryOf(task, input, atOnce));
      },
      enqueue: async (task, id, input) => create(task, id, entryOf(task, input)),
      read: ({ task, lap, ordinal }, ends) => {
        const results = ends.map((end, place) => {
          if (end === null) return null;
          const key = keyOf(task, childIdOf({ origin, lap, ordinal, place }));
          return resultOf(outcomeAt(end.seq, end.index), key, vault);
        });
        return Promise.all(results);
      },
    };
  };
  return new DurableRuns({
    ...{ journal, log, vault, graceMs: 5_000, isHeard: () => true, frames: new KeptFrames(), childrenOf, onLeftBehind },
    clock: {
      now: () => clock.now(),
      set: (act, ms) => clock.at(clock.now() + Math.max(ms, 1), () => soon(act).done),
      clear: (callOff) => (callOff as (() => void) | undefined)?.(),
      random: () => 0.5,
    },
    describe: (cls) => describeClass(cls).tasks,
  });
}
