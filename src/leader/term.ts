// A leader's term, as one scope: what is opened in it is closed by it, newest first. A leader's writes are retried until the store has them,
// or until the term is over.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import type * as Fiber from "effect/Fiber";
import * as FiberSet from "effect/FiberSet";
import * as Schedule from "effect/Schedule";
import type * as Scope from "effect/Scope";
import { PermissionDenied, QueueFull, StoreUnavailable } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { atMostEvery } from "../runtime/at-most-every.ts";
import { deferred } from "../runtime/deferred.ts";

const firstPauseMs = 100;
const pauses = Schedule.min([Schedule.exponential(2 * firstPauseMs), Schedule.spaced("5 seconds")]);
const tellEveryMs = 30_000;

/** A store that is away, full or closed to this user becomes usable again: an operator frees space or corrects the permissions. */
const isPassing = (error: unknown): boolean =>
  error instanceof StoreUnavailable || error instanceof QueueFull || error instanceof PermissionDenied;

type Fork = <T>(effect: Effect.Effect<T, unknown>) => Fiber.Fiber<T, unknown>;

/** A term begins when the lease is claimed. It ends when the lease is lost or given up, or when the scheduler's state is discarded. */
export class Term {
  readonly epoch: number;
  readonly #log: Log;
  readonly #fork: Fork | undefined;
  readonly #end = deferred<void>();
  #isOver: boolean;
  #entries = 0;
  #messages = 0;

  /** Without `fork`, the term is over from the start. */
  constructor(epoch: number, log: Log, fork?: Fork) {
    this.epoch = epoch;
    this.#log = log;
    this.#fork = fork;
    this.#isOver = fork === undefined;
  }
  get isCurrent(): boolean {
    return !this.#isOver;
  }
  /** Numbers what this leader appends, from 1. */
  nextEntry(): number {
    return ++this.#entries;
  }
  /** Numbers what this leader tells workers, from 1. */
  nextMessage(): number {
    return ++this.#messages;
  }
  /** Results of what was started in this term are ignored from now on. Its scope closes soon after. */
  end(): void {
    this.#isOver = true;
    this.#end.resolve();
  }
  get ended(): Effect.Effect<void> {
    return Effect.promise(() => this.#end.promise);
  }

  /**
   * Tries `deed` until it succeeds; undefined if the term ends first, or if nobody wants the result any more. A `deed` that failed may have
   * taken effect all the same, so it must be safe to repeat. Fails: with errors that are not trouble of the store
   */
  async untilStored<T>(what: string, deed: () => Promise<T>, isWanted = () => true): Promise<T | undefined> {
    if (!this.isCurrent || !isWanted()) return undefined;
    try {
      return await deed(); // without a fiber, which costs 9 µs: a cancel of many reads the input of each
    } catch (error) {
      if (!isPassing(error)) throw error;
      const tell = this.#telling(what);
      tell(error);
      return this.#again(deed, tell, isWanted);
    }
  }

  #again<T>(deed: () => Promise<T>, tell: (error: unknown) => void, isWanted: () => boolean): Promise<T | undefined> {
    const isToTry = (error: unknown) => isPassing(error) && this.isCurrent && isWanted();
    const tried = Effect.tryPromise({ try: deed, catch: (error) => error }).pipe(
      Effect.tapError((error) => Effect.sync(() => tell(error))),
      Effect.retry({ schedule: pauses, while: isToTry }),
      Effect.delay(firstPauseMs),
    );
    return new Promise((resolve, reject) => {
      if (!this.isCurrent || !isWanted()) return resolve(undefined);
      this.#fork!(tried).addObserver((exit) => {
        if (Exit.isSuccess(exit)) return resolve(exit.value);
        const error = Cause.squash(exit.cause);
        if (Cause.hasInterruptsOnly(exit.cause) || isPassing(error)) resolve(undefined);
        else reject(error);
      });
    });
  }

  #telling(what: string): (error: unknown) => void {
    const warn = (error: unknown) => this.#log.warn(`${what} could not be stored yet; retrying`, { error });
    const tell = atMostEvery(tellEveryMs, warn);
    return (error) => isPassing(error) && this.isCurrent && tell(error);
  }
}

/** A term that lasts until the scope is closed, or until it is ended. */
export const openTerm = (epoch: number, log: Log): Effect.Effect<Term, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = yield* FiberSet.runtime(yield* FiberSet.make<unknown, unknown>())<never>();
    return yield* Effect.acquireRelease(
      Effect.sync(() => new Term(epoch, log, fork as Fork)),
      (term) => Effect.sync(() => term.end()),
    );
  });

/**
 * Calls `look` now, and again after each pause while the scope is open. The first call is not delayed because a new leader knows nothing yet.
 * An error is logged and does not end the calls.
 */
export const polling = (everyMs: number, log: Log, look: () => unknown): Effect.Effect<void, never, Scope.Scope> =>
  Effect.tryPromise({ try: async () => look(), catch: (error) => error }).pipe(
    Effect.catch((error) => Effect.sync(() => log.error("a periodic check of the engine failed", { error }))),
    Effect.repeat(Schedule.spaced(everyMs)),
    Effect.forkScoped,
    Effect.asVoid,
  );
