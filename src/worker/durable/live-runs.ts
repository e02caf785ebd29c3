// The durable runs of a worker that is connected: journals and children in JetStream, real timers.
import { StoreUnavailable } from "../../domain/errors.ts";
import { splitKey } from "../../domain/run.ts";
import type { WorkerDefinition } from "../../domain/worker.ts";
import { JournalStore } from "../../nats/journal.ts";
import { newestFromLeader } from "../../nats/stored-message.ts";
import { afterMs } from "../../runtime/long-timer.ts";
import { textOf } from "../../wire/bytes.ts";
import { decodeRunEntry } from "../../wire/run-entry.ts";
import type { Self } from "../self.ts";
import { ChildInbox } from "./child-inbox.ts";
import { DurableRuns } from "./durable-runs.ts";
import { type KeepOptions, KeptFrames } from "./kept-frames.ts";
import type { StepClock } from "./step-clock.ts";
import { installSteps } from "./steps.ts";
import { StoredChildren } from "./stored-children.ts";
import { StoredSignals } from "./stored-signals.ts";

/** Undefined for a worker without durable tasks. */
export function durableRunsOf(
  { tasks, steps }: WorkerDefinition,
  self: Self,
  graceMs: number,
  keep?: KeepOptions,
): DurableRuns | undefined {
  if (!tasks.some(({ durable }) => durable !== undefined)) return undefined;
  if (steps !== undefined) installSteps(steps.instance, steps.methods);
  const { link, subjects, log, publisher, journals, describe, vault } = self;
  if (journals === undefined) throw new Error("a worker with durable tasks needs a publisher for their journals");
  const clock: StepClock = {
    now: () => link.clock.now(),
    set: (act, ms) => afterMs(ms, act),
    clear: (callOff) => (callOff as (() => void) | undefined)?.(),
    random: Math.random,
  };
  const inbox = new ChildInbox(link);
  const isHeard = () => !self.lifeline.isCutOff();
  return new DurableRuns({
    ...{ clock, log, graceMs, isHeard, vault },
    journal: new JournalStore(link, subjects, { publisher: journals, maySend: isHeard }),
    childrenOf: (parent) => new StoredChildren({ link, publisher, subjects, vault, inbox }, parent),
    frames: new KeptFrames(keep),
    inputOf: async ({ key, origin }) => {
      const { task, id } = splitKey(key);
      const stored = await newestFromLeader(link, subjects.stream, subjects.run(task, id));
      const entry = stored && decodeRunEntry(stored.data);
      if (entry !== undefined && (entry.extra?.state?.origin ?? stored?.seq) === origin) return textOf(entry.input);
      throw new StoreUnavailable({ operation: `read the input of ${key}`, reason: "its entry is not there" });
    },
    signals: new StoredSignals({ link, subjects, vault }),
    describe: describe ?? (() => new Map()),
  });
}
