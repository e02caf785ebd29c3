import { entryOfOrigin } from "../../src/domain/origin.ts";
import type { EngineOutcome } from "../../src/matching/commands.ts";
import { kept } from "./kept.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { ModelWorker } from "./model-worker.ts";
import type { World } from "./world.ts";

/** How long a supervisor takes to start a process again. */
const restartMs = 1_000;

/**
 * Processes hold an engine and the workers beside it, and these die together. In a poisoned world some runs kill the process that executes
 * them, again and again, while all others would be well.
 */
export class Processes {
  readonly #world: World;
  #poisoned = new Set<string>();
  /** By `key@origin`. */
  readonly deaths = new Map<string, number>();
  /** By `key@origin`: losses that a leader had found, and took along when it ended. */
  readonly #untold = new Map<string, number>();
  #diedAt: number | undefined = undefined;

  constructor(world: World) {
    this.#world = world;
  }
  get deathCount(): number {
    let sum = 0;
    for (const deaths of this.deaths.values()) sum += deaths;
    return sum;
  }
  poison(keys: readonly string[]): void {
    this.#poisoned = new Set(keys);
  }
  isPoison(key: string): boolean {
    return this.#poisoned.has(key);
  }
  /** Where a worker that starts now runs; undefined = alone. */
  hostFor(): ModelEngine | undefined {
    const { climate, random, engines } = this.#world;
    if (!climate.hasProcesses || random.chance(0.2)) return undefined;
    return random.pick(engines.filter((e) => e.isAlive));
  }
  nameOf(engine: ModelEngine): string {
    return `process ${this.#world.engines.indexOf(engine)}.${engine.incarnation}`;
  }
  /** All that is in the worker's process is gone at once. */
  killWorker(worker: ModelWorker): void {
    if (worker.host?.isAlive === true) this.killEngine(worker.host);
    worker.isAlive = false;
  }
  killEngine(engine: ModelEngine): void {
    for (const worker of this.#world.workers) if (worker.host === engine) worker.isAlive = false;
    engine.incarnation++;
    engine.crash();
    engine.state.stepDown();
    this.#diedAt ??= this.#world.now;
  }
  /** A leader has ended, and these outcomes are not stored. */
  forget(outcomes: readonly EngineOutcome[]): void {
    for (const { kind, key, origin } of outcomes) {
      const name = `${key}@${origin}`;
      if (kind === "lost") this.#untold.set(name, (this.#untold.get(name) ?? 0) + 1);
    }
  }
  /** The code of a poisonous run does what it always does. */
  dieOf(worker: ModelWorker, key: string, origin: number): void {
    const { climate } = this.#world;
    const name = `${key}@${origin}`;
    const deaths = (this.deaths.get(name) ?? 0) + 1;
    this.deaths.set(name, deaths);
    this.killWorker(worker);
    this.#diedAt ??= this.#world.now;
    const most = climate.options.lostLimit! + 1 + (this.#untold.get(name) ?? 0);
    if (kept.poison && deaths > most)
      throw new Error(`${key} of entry ${entryOfOrigin(origin)} has killed ${deaths} processes; ${most} are enough`);
  }
  /** In a poisoned world somebody sees to it that processes come back. */
  restart(): void {
    const world = this.#world;
    if (!world.climate.isPoisoned || this.#diedAt === undefined) return;
    if (!world.isHealed && world.now - this.#diedAt < restartMs) return;
    this.#diedAt = undefined;
    for (const engine of world.engines) if (!engine.isAlive) engine.restart(world.now);
    const dead = world.workers.filter((w) => !w.isAlive && !w.hasLeft);
    world.workers = world.workers.filter((w) => !dead.includes(w));
    for (const { tasks } of dead) world.staff.add(tasks);
  }
}
