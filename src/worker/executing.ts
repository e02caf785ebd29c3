// The attempts of a worker whose code has not ended, from the moment they are accepted: a drain waits for them, or stops them.
// Plain, since a fiber each would cost more than all the rest of an idle worker (ADR 33).
import * as Effect from "effect/Effect";
import type { Log } from "../domain/log.ts";
import type { Attempt } from "./attempt.ts";

export class Executing {
  readonly #log: Log;
  readonly #attempts = new Set<Attempt>();
  /** Those that have begun. */
  running = 0;
  #onEmpty: (() => void)[] = [];

  constructor(log: Log) {
    this.#log = log;
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
      this.running += 1;
      attempt.begin((fault) => this.#ended(attempt, fault));
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
      this.#log.error("an attempt ended abnormally", { run: attempt.assignment.key, error: fault });
    this.running -= 1;
    this.#attempts.delete(attempt);
    attempt.end();
    if (this.size > 0 || this.#onEmpty.length === 0) return;
    const listeners = this.#onEmpty;
    this.#onEmpty = [];
    for (const listener of listeners) listener();
  }
}
