// The attempts of a worker whose code has not ended, from the moment they are accepted: a drain waits for them, or stops them.
// Plain, since a fiber each would cost more than all the rest of an idle worker (ADR 33).
import { Effect } from "effect";
import type { Log } from "../domain/log.ts";
import type { Attempt } from "./attempt.ts";

export interface ExecutingParts {
  readonly log: Log;
  /** Code begins. */
  readonly onBegin: (attempt: Attempt) => void;
  /** Code has ended, and its slot is free. */
  readonly onEnd: (attempt: Attempt) => void;
}

export class Executing {
  readonly #parts: ExecutingParts;
  readonly #attempts = new Set<Attempt>();
  #onEmpty: (() => void)[] = [];

  constructor(parts: ExecutingParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** It holds its slots from now on, and starts with {@link begin}. */
  add(attempt: Attempt): void {
    attempt.hold?.join();
    this.#attempts.add(attempt);
  }

  begin(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      this.#parts.onBegin(attempt);
      attempt.execute((fault) => this.#ended(attempt, fault));
    }
  }

  /** Waits until no code runs. */
  get ended(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.size === 0) resume(Effect.void);
      else this.#onEmpty.push(() => resume(Effect.void));
    });
  }

  /** What can continue elsewhere does not continue here. */
  leave(): void {
    for (const attempt of this.#attempts) attempt.leave();
  }

  /** Gives back what is left. */
  stop(): void {
    for (const attempt of this.#attempts) attempt.stop({ kind: "returned" });
  }

  #ended(attempt: Attempt, fault: unknown): void {
    if (fault !== undefined)
      this.#parts.log.error("an attempt ended abnormally", { run: attempt.assignment.key, error: fault });
    this.#attempts.delete(attempt);
    attempt.hold?.leave();
    this.#parts.onEnd(attempt);
    if (this.size > 0 || this.#onEmpty.length === 0) return;
    const listeners = this.#onEmpty;
    this.#onEmpty = [];
    for (const listener of listeners) listener();
  }
}
