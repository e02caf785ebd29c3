import { taskOf } from "../../src/domain/run.ts";
import type { LiveRun } from "../../src/fold/live-run.ts";
import type { AssignCommand } from "../../src/matching/commands.ts";
import { queueOf } from "../../src/matching/task-queue.ts";
import { clockErrorMs } from "./faults.ts";
import { kept } from "./kept.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { Attempt, ModelWorker } from "./model-worker.ts";
import type { World } from "./world.ts";

const keyOf = (run: LiveRun): string => run.metadata?.["of"] ?? "";

/**
 * What limits promise, as engines count and as the tasks themselves see it: never more than `max` of a key at once; and in no window more
 * begin than the limit of a rate and one reservation.
 */
export class LimitChecks {
  readonly #world: World;
  /** When code began, by task and key. */
  readonly #begun = new Map<string, number[]>();
  begun = 0;

  constructor(world: World) {
    this.#world = world;
  }
  onAssigned(engine: ModelEngine, command: AssignCommand): void {
    for (const run of command.runs) {
      const declared = queueOf(run).policies?.declared;
      if (this.#world.climate.policies[run.task] !== undefined && declared === undefined)
        throw new Error(`${run.key} was assigned without its limits`);
      for (const { key, max } of declared?.concurrency ?? []) {
        const executing = executingWith(engine, run, key !== null);
        if (executing > max) throw new Error(`${executing} runs of ${run.task} with key ${keyOf(run)} execute`);
      }
    }
  }
  /** A worker has a run in a slot; all of them are asked what they have. */
  onTaken(worker: ModelWorker, taken: Attempt): void {
    const task = taskOf(taken.key);
    if (this.#world.givenUp.has(taken.batch))
      throw new Error(`${worker.id} took ${taken.key}, which its leader had taken back before`);
    for (const { key, max } of this.#world.climate.policies[task]?.concurrency ?? []) {
      let count = 0;
      for (const other of this.#world.workers) {
        if (!other.isAlive) continue;
        for (const attempt of other.executing.values()) {
          if (taskOf(attempt.key) !== task || (key !== null && attempt.of !== taken.of)) continue;
          if (other.isHung) continue; // its code stands still, and stops before anything else if that lasts
          if (!this.#mayGoOn(attempt)) count++;
        }
      }
      if (kept.keys && count > max)
        throw new Error(`${count} runs of ${task} with key ${taken.of} execute, ${worker.id} took ${taken.key}`);
    }
  }
  /**
   * Its worker has stopped it after it was cut off for long; its run has ended meanwhile, and it was told so; or its leader had to take it for
   * lost, and messages that were on their way for longer than two heartbeats, or came twice, said the same.
   */
  #mayGoOn({ key, origin, stop, batch }: Attempt): boolean {
    if (stop === "cut off" || this.#world.givenUp.has(batch)) return true;
    const known = this.#world.checks.reference.keys.get(key);
    return stop === "fence" && (known === undefined || known.origin !== origin || known.finished !== undefined);
  }
  onBegun({ key, of }: Attempt): void {
    const { now, climate } = this.#world;
    const task = taskOf(key);
    for (const { limit, perMs } of climate.policies[task]?.rateLimits ?? []) {
      const name = `${task} ${of}`;
      const begun = (this.#begun.get(name) ?? []).filter((at) => at > now - perMs + 2 * clockErrorMs);
      begun.push(now);
      this.#begun.set(name, begun);
      this.begun++;
      if (!climate.hasWildClocks && begun.length > limit + 1)
        throw new Error(`${begun.length} runs of ${name} began within ${perMs} ms, the limit is ${limit}`);
    }
  }
}

function executingWith({ state }: ModelEngine, run: LiveRun, isKeyed: boolean): number {
  let count = 0;
  for (const worker of state.workers.values()) {
    for (const { run: other } of worker.bookings())
      if (other !== undefined && other.task === run.task && (!isKeyed || keyOf(other) === keyOf(run))) count++;
  }
  return count;
}
