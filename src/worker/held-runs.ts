// The runs that this worker answers for: executing, or ended and not yet stored. Heartbeats and registrations tell them to the engine.
import type { Executing } from "../protocol/messages.ts";
import type { Attempt } from "./attempt.ts";

export const tokenOf = (key: string, turn: number): string => `${key}#${turn}`;
const rememberedTokens = 10_000;

export class HeldRuns {
  readonly #attempts = new Map<string, Attempt>();
  /** Lately stored ones in two generations, so that a doubled assignment is not executed a second time. */
  #done = new Set<string>();
  #doneBefore = new Set<string>();

  get size(): number {
    return this.#attempts.size;
  }

  has(token: string): boolean {
    return this.#attempts.has(token) || this.#done.has(token) || this.#doneBefore.has(token);
  }

  get(token: string): Attempt | undefined {
    return this.#attempts.get(token);
  }

  all(): Iterable<Attempt> {
    return this.#attempts.values();
  }

  add(attempt: Attempt): void {
    this.#attempts.set(tokenOf(attempt.assignment.key, attempt.assignment.turn), attempt);
  }

  release(token: string): void {
    this.#attempts.delete(token);
    this.#done.add(token);
    if (this.#done.size < rememberedTokens) return;
    this.#doneBefore = this.#done;
    this.#done = new Set();
  }

  list(): Executing[] {
    return Array.from(this.#attempts.values(), ({ assignment, startedAt }) => ({
      key: assignment.key,
      turn: assignment.turn,
      origin: assignment.origin,
      startedAt,
    }));
  }
}
