import type { AssignCommand } from "../../src/scheduler/commands.ts";
import type { LiveRun } from "../../src/scheduler/live-run.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { Assigned } from "./model-worker.ts";
import type { World } from "./world.ts";

interface Start {
  readonly name: string;
  readonly at: number;
}
const keyOf = (run: LiveRun): string => run.metadata?.["of"] ?? "";

/** What limits promise: never more than `max` of a key at once, and in no window more than the limit of a rate and one reservation. */
export class LimitChecks {
  readonly #world: World;
  /** By task and key. */
  readonly #starts = new Map<string, Start[]>();
  started = 0;

  constructor(world: World) {
    this.#world = world;
  }
  onAssigned(engine: ModelEngine, command: AssignCommand): void {
    for (const run of command.runs) {
      const declared = run.queue.policies?.declared;
      if (this.#world.climate.policies[run.task] !== undefined && declared === undefined)
        throw new Error(`${run.key} was assigned without its limits`);
      for (const { key, max } of declared?.concurrency ?? []) {
        const executing = executingWith(engine, run, key !== null);
        if (executing > max) throw new Error(`${executing} runs of ${run.task} with key ${keyOf(run)} execute`);
      }
      for (const { limit, perMs } of declared?.rateLimits ?? []) this.#onStart(command, run, limit, perMs);
    }
  }
  /** What was refused has not started. */
  onRefused({ epoch, batch, runs }: Assigned, refused: readonly number[]): void {
    for (const index of refused) {
      const name = nameOf(epoch, batch, runs[index]!.key);
      for (const starts of this.#starts.values()) {
        const at = starts.findIndex((start) => start.name === name);
        if (at >= 0) starts.splice(at, 1);
      }
    }
  }
  #onStart({ epoch, batch }: AssignCommand, run: LiveRun, limit: number, perMs: number): void {
    const { now, hasSkew } = this.#world;
    const of = `${run.task} ${keyOf(run)}`;
    const starts = (this.#starts.get(of) ?? []).filter((start) => start.at > now - perMs);
    starts.push({ name: nameOf(epoch, batch, run.key), at: now });
    this.#starts.set(of, starts);
    this.started++;
    if (!hasSkew && starts.length > limit + 1)
      throw new Error(`${starts.length} runs of ${of} started within ${perMs} ms, the limit is ${limit}`);
  }
}

const nameOf = (epoch: number, batch: number, key: string): string => `${epoch} ${batch} ${key}`;

function executingWith({ state }: ModelEngine, run: LiveRun, isKeyed: boolean): number {
  let count = 0;
  for (const worker of state.workers.values()) {
    for (const { run: other } of worker.assignments())
      if (other !== undefined && other.task === run.task && (!isKeyed || keyOf(other) === keyOf(run))) count++;
  }
  return count;
}
