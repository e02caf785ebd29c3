import { placeOf } from "../../src/matching/attached.ts";
import type { AssignCommand } from "../../src/matching/commands.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { Known, ReferenceFold } from "./reference-fold.ts";
import type { World } from "./world.ts";

/** With so much time in which everybody could talk, a worker has heard that it is to stop something. */
const heardWithinMs = 30_000;

/** A wish to cancel that stands in the log comes true: nobody begins the run again, and whoever executes it hears of it. */
export class CancelChecks {
  readonly #world: World;
  readonly #reference: ReferenceFold;
  heard = 0;

  constructor(world: World, reference: ReferenceFold) {
    this.#world = world;
    this.#reference = reference;
  }
  onAssigned({ state }: ModelEngine, { runs, worker }: AssignCommand): void {
    for (const { key, origin } of runs) {
      const wish = this.#wished(key, origin)?.wishedAt;
      if (wish !== undefined && wish.seq <= state.position)
        throw new Error(`${key} was given to ${worker}; the log says at ${wish.seq} that it is to be cancelled`);
    }
  }
  /** A leader was asked; what it is about to answer rests on what it stores. */
  onAsked({ state, outbox }: ModelEngine, key: string): void {
    const run = state.live.get(key);
    if (run === undefined || placeOf(run) === "ending") return;
    if (run.trail?.cancelWish !== undefined || this.#hadWish(key, run.origin)) return;
    const isSaid = outbox.some(
      (command) =>
        command.type === "append" &&
        command.outcomes.some((o) => o.key === key && (o.kind === "cancelling" || o.kind === "cancelled")),
    );
    if (!isSaid) throw new Error(`${key} is to be cancelled, and nothing is stored of that`);
  }
  /** After a time in which all that live and are connected have talked. */
  afterCalm(lastedMs: number): void {
    const { workers, now, leaders } = this.#world;
    if (lastedMs < heardWithinMs || leaders.length === 0) return;
    for (const worker of workers) {
      if (!worker.isListening) continue;
      for (const { key, origin, turn, stop } of worker.executing.values()) {
        const known = this.#wished(key, origin);
        if (known === undefined || known.turn !== turn || now - known.wishedAt!.at < heardWithinMs) continue;
        if (stop !== "cancel")
          throw new Error(`${worker.id} has not heard for ${lastedMs} ms that ${key} is to be cancelled`);
        this.heard++;
      }
    }
  }
  /** It may have ended since: a leader that has not read that far tells the worker again, and has nothing to store. */
  #hadWish(key: string, origin: number): boolean {
    const known = this.#reference.keys.get(key);
    return known?.origin === origin && known.wishedAt !== undefined;
  }
  #wished(key: string, origin: number): Known | undefined {
    const known = this.#reference.keys.get(key);
    return known?.origin === origin && known.finished === undefined && known.wishedAt !== undefined ? known : undefined;
  }
}
