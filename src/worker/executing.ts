// The attempts of a worker whose code has not ended, from the moment they are accepted: a drain waits for them, or stops them.
// Attempts are plain objects: with a fiber for each of them, a run would take up to twice as much CPU (ADR 33).
import * as Effect from "effect/Effect";
import type { Log } from "../domain/log.ts";
import type { Attempt } from "./attempt.ts";

export class Executing {
  readonly #log: Log;
  readonly #attempts = new Set<Attempt>();
  /** How many of them have begun. */
  running = 0;
  #onEmpty: (() => void)[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** The attempt holds its slots from now on; {@link begin} starts its code. */
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

  /** Waits until none is left. */
  get ended(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (this.size === 0) resume(Effect.void);
      else this.#onEmpty.push(() => resume(Effect.void));
    });
  }

  /** Tells all attempts that the worker is stopping: those that can continue elsewhere do not continue here. */
  leave(): void {
    for (const attempt of this.#attempts) attempt.leave();
  }

  /** Stops the attempts that are left and gives their runs back. */
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
