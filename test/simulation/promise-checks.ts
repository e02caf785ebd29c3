import { wholeNamespace } from "../../src/domain/pauses.ts";
import { taskOf } from "../../src/domain/run.ts";
import type { EngineOutcome } from "../../src/matching/commands.ts";
import type { FinalDetail } from "../../src/wire/story.ts";
import type { Stop } from "../../src/wire/worker-messages.ts";
import { clockErrorMs } from "./faults.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { Known, ReferenceFold } from "./reference-fold.ts";
import type { World } from "./world.ts";

/** Who is cut off for longer is dead for everybody. */
const goneAfterMs = 30_000;

/** What a caller may rely on: nobody's run is cancelled for a reason that is not true. */
export class PromiseChecks {
  readonly #world: World;
  readonly #reference: ReferenceFold;
  readonly #asked = new Set<string>();
  readonly counts = { expired: 0, cancelled: 0 };
  /** Which promises the product keeps by now; those that it does not are looked at by `main.ts --strict` only. */
  static kept = { expiry: true };

  constructor(world: World, reference: ReferenceFold) {
    this.#world = world;
    this.#reference = reference;
  }
  onCancelAsked(key: string): void {
    this.#asked.add(key);
  }
  onAppend(engine: ModelEngine, outcomes: readonly EngineOutcome[]): void {
    for (const outcome of outcomes) if (outcome.kind === "cancelled") this.#onCancelled(engine, outcome);
  }
  /** A worker that is told to cancel ends the run by that. */
  onStops(stops: readonly Stop[]): void {
    for (const { kind, key, reason } of stops)
      if (kind === "cancel" && !this.#isWanted(key, reason))
        throw new Error(`${key} is to be cancelled because of "${reason}", and nobody asked for that`);
  }
  #isWanted(key: string, reason: string): boolean {
    return isStrategy(reason) || (this.#asked.has(key) && reason === "not wanted any more");
  }
  #onCancelled(engine: ModelEngine, { key, origin, turn, detail }: EngineOutcome): void {
    const { reason = "" } = (detail ?? {}) as FinalDetail;
    const known = this.#reference.keys.get(key);
    if (known === undefined || known.finished !== undefined || known.origin !== origin) return; // changes nothing
    this.counts.cancelled++;
    if (reason.startsWith("schedule timeout")) this.#onExpired(engine, key, known, turn);
    else if (!this.#isWanted(key, reason))
      throw new Error(`${key} is cancelled because of "${reason}", and nobody asked for that`);
  }
  /** It really waited for that long, and nobody executes it. */
  #onExpired(engine: ModelEngine, key: string, known: Known, turn: number): void {
    this.counts.expired++;
    if (!PromiseChecks.kept.expiry) return;
    const { workers, now } = this.#world;
    for (const worker of workers) {
      const isGone = worker.cutOffAt !== undefined && now - worker.cutOffAt >= goneAfterMs;
      const executes = [...worker.executing.values()].some(
        (a) => a.key === key && a.origin === known.origin && a.turn >= turn,
      );
      if (worker.isAlive && !isGone && executes && engine.deposedAt === undefined)
        throw new Error(`${key} expires while ${worker.id} executes it`);
    }
    // It does not know what the run has done since. In the product it would no longer send this: its lease is over.
    if (engine.deposedAt !== undefined && !engine.isCaughtUp) return;
    if (known.turn > turn && !engine.isCaughtUp) return; // what an earlier leader said late has ended the turn, and is not read yet
    const timeoutMs = this.#timeoutOf(key, known);
    const waited = Math.min(now - Math.max(known.waitsFrom, this.#resumedAt(key)), this.#world.ledMs - known.ledAt);
    if (timeoutMs === null || (waited < timeoutMs - 2 * clockErrorMs && !this.#world.climate.hasWildClocks))
      throw new Error(`${key} expires after ${waited} ms in its queue; ${timeoutMs} ms are allowed`);
  }
  #timeoutOf(key: string, { scheduleTimeoutMs }: Known): number | null {
    if (scheduleTimeoutMs !== undefined) return scheduleTimeoutMs;
    const declared = this.#world.stored.definitions.get(taskOf(key));
    return declared === undefined ? null : declared.scheduleTimeoutMs;
  }
  #resumedAt(key: string): number {
    const { resumedAt } = this.#world.stored.pauses;
    return Math.max(resumedAt[taskOf(key)] ?? 0, resumedAt[wholeNamespace] ?? 0);
  }
}

const isStrategy = (reason: string): boolean =>
  reason.includes("(cancel-in-progress)") || reason.includes("(cancel-newest)");
