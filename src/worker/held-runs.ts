// Held runs: those that this worker executes, or whose outcomes are not stored yet. Heartbeats and registrations name them to the engine.
import { NumberIndex } from "../collections/number-index.ts";
import type { HeldRun, Stop } from "../wire/worker-messages.ts";
import type { Attempt } from "./attempt.ts";
import { type KeyedTurn, RecentTurns } from "./recent-turns.ts";
import type { StopCause } from "./verdict.ts";

export class HeldRuns {
  readonly #attempts = new NumberIndex<Attempt>();
  /** Other turns of held runs: a worker may still be executing what no longer counts. */
  readonly #others = new Set<Attempt>();
  /** Turns whose outcomes were stored lately, so that an assignment which comes twice is not executed twice. */
  readonly #done = new RecentTurns(10_000, 16_384);

  get size(): number {
    return this.#attempts.size + this.#others.size;
  }

  /** Whether this very turn is held, or was recently. */
  has(turn: KeyedTurn): boolean {
    const { origin } = turn;
    const held = this.#attempts.get(origin);
    if (held !== undefined && isSame(held.assignment, turn)) return true;
    if (this.#others.size > 0) for (const { assignment } of this.#others) if (isSame(assignment, turn)) return true;
    return this.#done.has(turn);
  }

  all(): Attempt[] {
    return [...this.#attempts.values(), ...this.#others];
  }

  add(attempt: Attempt): void {
    const { origin } = attempt.assignment;
    if (this.#attempts.get(origin) !== undefined) this.#others.add(attempt);
    else this.#attempts.set(origin, attempt);
  }

  /** Lets go of an attempt whose outcome is stored. */
  release(attempt: Attempt): void {
    if (this.#remove(attempt)) this.#done.add(attempt.assignment);
  }

  /** Forgets an attempt without a trace, so that even the same turn may be executed again. */
  forget(attempt: Attempt): void {
    this.#remove(attempt);
  }

  /** Stops attempts. Those that are not held any more need no stop. */
  stop(stops: readonly Stop[]): void {
    for (const stop of stops) {
      const cause = causeOf(stop);
      const attempt = this.#attempts.get(stop.origin);
      if (attempt !== undefined && isSame(attempt.assignment, stop)) attempt.stop(cause);
      if (this.#others.size === 0) continue;
      for (const other of this.#others) if (isSame(other.assignment, stop)) other.stop(cause);
    }
  }

  /** Gives back the runs of tasks with concurrency limits: for the leader they count until they must have stopped. */
  giveBackLimited(): void {
    for (const attempt of this.all())
      if (attempt.task.policies?.concurrency !== undefined) attempt.stop({ kind: "returned" });
  }

  list(): HeldRun[] {
    return this.all().map(({ assignment, startedAt, isSlotless, extendedUntil }) => ({
      key: assignment.key,
      turn: assignment.turn,
      origin: assignment.origin,
      startedAt,
      ...(isSlotless && { slotless: true }),
      ...(extendedUntil !== undefined && { until: extendedUntil }),
    }));
  }

  #remove(attempt: Attempt): boolean {
    const { origin } = attempt.assignment;
    if (this.#attempts.get(origin) === attempt) return this.#attempts.delete(origin);
    return this.#others.delete(attempt);
  }
}

function causeOf({ kind, reason, seq, at }: Stop): StopCause {
  if (kind === "fence") return { kind: "fenced", reason };
  return { kind: "cancelled", reason, ...(seq !== undefined && { seq }), ...(at !== undefined && { at }) };
}

const isSame = (a: KeyedTurn, b: KeyedTurn): boolean => a.turn === b.turn && a.origin === b.origin && a.key === b.key;
