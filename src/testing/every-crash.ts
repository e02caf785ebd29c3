// Runs a scenario once for each record of its journals, with the worker killed after it: it must always end the same.
import { describeClass } from "../../decorators/scan.ts";
import type { TestableClass } from "./inline.ts";
import type { InlineRun } from "./inline-run.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { LocalWorker, type TestWorker, type TestWorkerOptions } from "./test-worker.ts";

/** What to do with a worker and its runs; the result is compared, and must be JSON. */
export type Scenario = (t: TestWorker<ManualClock>) => Promise<unknown>;

/** Any moment, the same for each. */
const start = Date.UTC(2030, 0, 1);
const mostRecords = 10_000;

/**
 * Tests durable methods against crashes: runs the scenario once without a crash, then once for each stored record, with the worker
 * killed after it. Resolves with the number of runs.
 *
 * Each time gets a new worker, with its own clock that the scenario moves. What the scenario returns, and how all runs ended, must
 * always be the same.
 *
 * Fails: Error with the first difference, for a step or child that nobody awaited, or for code that does not match its own journal
 * @example
 * ```ts
 * await everyCrash(Orders, async (t) => {
 *   const run = await t.enqueue("fulfil", order);
 *   await t.clock.advance("3d");
 *   return run.result();
 * });
 * ```
 */
export async function everyCrash(
  worker: TestableClass,
  scenario: Scenario,
  { encryption }: Pick<TestWorkerOptions, "encryption"> = {},
): Promise<number> {
  describeClass(worker);
  const play = (killedAfter: number) => playOnce(worker, scenario, killedAfter, encryption);
  const first = await play(Number.POSITIVE_INFINITY);
  if (first.records > mostRecords)
    throw new RangeError(`everyCrash: the scenario stores ${first.records} records, ${mostRecords} are the most`);
  for (let k = 1; k <= first.records; k++) {
    const { told } = await play(k);
    if (told === first.told) continue;
    throw new Error(
      `everyCrash: with the worker killed after record ${k} of ${first.records} it ended differently:\n${told}\ninstead of\n${first.told}`,
    );
  }
  return first.records + 1;
}

interface Played {
  readonly records: number;
  readonly told: string;
}

async function playOnce(
  worker: TestableClass,
  scenario: Scenario,
  killedAfter: number,
  encryption: TestWorkerOptions["encryption"],
): Promise<Played> {
  const clock = new ManualClock({ start, patience: "1s" });
  const leftBehind: string[] = [];
  let hasCrashed = false;
  const journal = new MemoryJournal((appends) => {
    if (hasCrashed || appends !== killedAfter) return true;
    hasCrashed = true;
    queueMicrotask(() => t.crash());
    return false;
  });
  const onLeftBehind = (key: string, ops: readonly string[]) => leftBehind.push(`${key}: ${ops.join(", ")}`);
  const t = new LocalWorker(worker, { clock, encryption }, { journal, onLeftBehind });
  try {
    const result = await scenario(t as unknown as TestWorker<ManualClock>);
    await clock.advance(0);
    if (leftBehind.length > 0)
      throw new Error(`everyCrash: a method ended over what it did not await: ${leftBehind.join("; ")}; write await`);
    return { records: journal.appends, told: JSON.stringify({ result, runs: t.runs().map(endOf) }, undefined, 1) };
  } finally {
    await Promise.all([t.stop(), clock.advance("1h")]);
  }
}

/** Random ids differ, and so do times. */
function endOf({ task, state, output, error, reason, waiting }: InlineRun): object {
  if (waiting?.for === "its code") throw new Error(`everyCrash: ${task} does not repeat itself: ${waiting.because}`);
  return { task, state, output, error: error && `${error.name}: ${error.message}`, reason };
}
