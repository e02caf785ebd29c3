import type { Turn } from "../../src/domain/run.ts";
import type { EngineOutcome } from "../../src/matching/commands.ts";
import { nameOf } from "./model-worker.ts";
import type { World } from "./world.ts";

/** No write is on its way for longer: a new leader keeps its hands off for ten seconds. */
const longestMs = 9_000;

interface Write {
  readonly landsAt: number;
  readonly land: () => void;
}

/** Writes on their way to the store: they land there late, whatever became of the engine that sent them. */
export class LateWrites {
  readonly #world: World;
  #writes: Write[] = [];
  landed = 0;
  /** Attempts that a leader of before ended when another one may have given out their runs. */
  readonly #ended = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }
  /** `since`: when its sender had ceased to lead, if it has. */
  send(since: number, land: () => void): void {
    const { random, now } = this.#world;
    const landsAt = now + random.int(Math.max(since + longestMs - now, 1));
    this.#writes.push({ landsAt, land });
  }
  /** These outcomes are among what is on its way. */
  carry(outcomes: readonly EngineOutcome[]): void {
    for (const outcome of outcomes) this.#ended.add(nameOf(outcome));
  }
  /** Whether the attempt may go on, and be fenced, while the next one executes. */
  mayHaveEnded(attempt: Turn & { readonly key: string }): boolean {
    return this.#ended.has(nameOf(attempt));
  }
  /** To be called when time has passed. */
  landDue(): void {
    if (this.#writes.length === 0) return;
    const { now } = this.#world;
    const due = this.#writes.filter(({ landsAt }) => landsAt <= now);
    this.#writes = this.#writes.filter(({ landsAt }) => landsAt > now);
    for (const { land } of due) land();
    this.landed += due.length;
  }
}
