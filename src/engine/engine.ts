// engine/: follows the log and the lease. While it leads, it tells the scheduler what happens and carries out its commands.
// This file is an engine's life: it stands by, seeks the lease, and leads as long as it has it. What it does then is in reign.ts.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Scope from "effect/Scope";
import type { Cancellations, QueueInfo } from "../domain/listing.ts";
import { type Log, silentLog } from "../domain/log.ts";
import { randomToken } from "../domain/random-token.ts";
import { polling } from "../leader/term.ts";
import { LeaderWatch } from "../nats/leader-watch.ts";
import { type Claim, Lease } from "../nats/lease.ts";
import type { NatsLink } from "../nats/link.ts";
import { makePublisher, type Publisher } from "../nats/publisher.ts";
import { Reserve } from "../nats/reserve.ts";
import { keepServerTime } from "../nats/server-time.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import { describeCancellations, describeQueues } from "../requests/describe.ts";
import { releasingInQuietMoments } from "../runtime/quiet-moments.ts";
import type { SchedulerOptions } from "../scheduler/scheduler.ts";
import { Neighbours } from "../wire/neighbours.ts";
import { Admission } from "./admission.ts";
import { Core, type CoreParts } from "./core.ts";
import { type ReignParts, reign } from "./reign.ts";
import type { EngineState, RunningEngine } from "./running-engine.ts";

export interface EngineParts extends Pick<CoreParts, "link" | "publisher" | "subjects" | "log"> {
  /** A connection for the lease alone. @default the engine's own */
  readonly leaseLink?: NatsLink;
  /** The workers of this process. */
  readonly neighbours?: Neighbours;
  /** Knows what is wrong with the streams. */
  readonly store?: StoreWatch;
}

export interface EngineOptions {
  /** `warm` folds the log while it stands by and leads at once; `cold` only watches the lease. @default "cold" */
  readonly mode?: "warm" | "cold";
  readonly scheduler?: SchedulerOptions;
  /** The process of this engine, as its workers name it: what it assigns to those may kill it too. */
  readonly process?: string;
  /** Stored bytes at which new runs are refused; no limit when absent. */
  readonly maxBytes?: number | undefined;
  /** Of the reserve. @default 1 */
  readonly replicas?: 1 | 3;
}

/** Starts an engine in this scope; closing it while it leads hands over to a standby at once. */
export const makeEngine = (
  parts: EngineParts,
  options: EngineOptions = {},
): Effect.Effect<RunningEngine, never, Scope.Scope> =>
  Effect.gen(function* () {
    // An engine may begin to follow the log long after a worker was started in the same scope. The worker must be able to drain all the same: it closes first.
    const scope = yield* Scope.fork(yield* Effect.scope);
    const { link, leaseLink = link, subjects, store } = parts;
    const ofLease = { stream: subjects.leaseStream, window: 16, watch: store?.lease };
    const leasePublisher = yield* makePublisher(leaseLink, ofLease);
    yield* Effect.promise(() => keepServerTime(link, subjects.stream, clockLogOf(parts)));
    const engine = new Candidate(parts, options, leasePublisher, scope);
    yield* engine.live;
    if (options.mode === "warm") yield* engine.follow;
    yield* Effect.forkScoped(engine.seekLease);
    return engine;
  });

/** A worker of the same process says it already. */
const clockLogOf = ({ neighbours, log }: EngineParts): Log =>
  neighbours === undefined ? log : { ...silentLog, warn: (message, fields) => log.debug(message, fields) };

const beatEveryMs = 1_000;
const releaseEveryMs = 5_000;
/** How often a standby checks the leader. A warm one could lead at once, so it checks more often. */
const warmPollMs = 250;
const coldPollMs = 500;
/** How often a standby checks a leader that does not answer. */
const doubtPollMs = 150;

class Candidate implements RunningEngine {
  readonly id = `engine-${randomToken(8)}`;
  readonly #scope: Scope.Scope;
  readonly #lease: Lease;
  readonly #watch: LeaderWatch;
  readonly #core: Core;
  readonly #reign: ReignParts;
  #isFollowing = false;
  /** How many attempts to lead have failed since this engine last led. */
  #failures = 0;
  #onLeading: (() => void)[] = [];

  constructor(parts: EngineParts, options: EngineOptions, leasePublisher: Publisher, scope: Scope.Scope) {
    const { link, leaseLink = link, subjects, neighbours = new Neighbours(), store: watch } = parts;
    this.#scope = scope;
    this.#lease = new Lease(leaseLink, leasePublisher, subjects, this.id);
    this.#watch = new LeaderWatch(leaseLink, subjects);
    const { maxBytes, replicas = 1, process } = options;
    const hashSeed = crypto.getRandomValues(new Int32Array(1))[0]!;
    const scheduler = { hashSeed, ...options.scheduler };
    const holdsLease = () => !this.#lease.isExpired(performance.now());
    this.#core = new Core({ ...parts, engine: this.id, neighbours, scheduler, holdsLease });
    this.#reign = {
      ...{ core: this.#core, lease: this.#lease, leaseLink, process },
      admission: new Admission(this.#core, { maxBytes, watch, reserve: new Reserve(link, subjects, replicas) }),
      follow: Effect.suspend(() => this.follow),
      onLeading: () => {
        this.#failures = 0;
        for (const listener of this.#onLeading.splice(0)) listener();
      },
    };
  }

  get state(): EngineState {
    if (!this.#core.term.isCurrent) return "standby";
    return this.#core.state.isLeading ? "leading" : "taking over";
  }
  get epoch(): number {
    return this.#core.state.epoch;
  }

  whenLeading(): Promise<void> {
    return this.state === "leading" ? Promise.resolve() : new Promise((resolve) => this.#onLeading.push(resolve));
  }

  queues(): readonly QueueInfo[] | undefined {
    return this.state === "leading" ? describeQueues(this.#core.state) : undefined;
  }

  cancellations(): readonly Cancellations[] {
    return describeCancellations(this.#core.state);
  }

  /** Begins to fold the log; does nothing if this engine folds it already. */
  get follow(): Effect.Effect<void> {
    if (this.#isFollowing) return Effect.void;
    this.#isFollowing = true;
    // Outcomes that were purged before this engine reads are no loss to it. Only the floor tells them from those that are purged while it reads.
    const checked = Effect.promise(() => this.#core.checkFloor());
    return Scope.provide(Effect.andThen(checked, this.#core.follower.follow()), this.#scope);
  }

  /** What this engine does while the scope is open, whether it leads or not. */
  get live(): Effect.Effect<void, never, Scope.Scope> {
    const { log } = this.#core;
    const release = releasingInQuietMoments(() => this.#core.progress.position + this.#core.state.live.size);
    return Effect.gen({ self: this }, function* () {
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#core.close()));
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#reign.admission.close()));
      yield* this.#watch.listening;
      // Beats on a standby as well: ticks of schedules that are due from now on are fired, however long it takes until this engine leads.
      yield* polling(beatEveryMs, log, () => this.#core.life.beat());
      yield* polling(releaseEveryMs, log, release);
    });
  }

  /** Never ends: claims the lease whenever it is free, and leads for as long as this engine has it. */
  get seekLease(): Effect.Effect<never> {
    const turn = Effect.gen({ self: this }, function* () {
      const claim = yield* Effect.promise(() => this.#claim());
      if (claim === undefined) yield* Effect.raceFirst(Effect.sleep(this.#pollMs), this.#watch.freed);
      else yield* this.#lead(claim);
    });
    return Effect.forever(Effect.catchCause(turn, (cause) => this.#beginAnew(cause)));
  }

  /** Logs what went wrong, and pauses so that another engine can lead. */
  #beginAnew(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt;
    const pauseMs = Math.min(1_000 * 2 ** this.#failures++, 30_000);
    const what = "this engine cannot lead; it gives up its lease and tries again";
    this.#core.log.error(what, { inMs: pauseMs, error: Cause.squash(cause) });
    return Effect.sleep(pauseMs);
  }

  /** Leads for one term. Never ends if the format of the namespace is newer than this engine, which can then only stand by. */
  #lead(claim: Claim): Effect.Effect<void> {
    return Effect.catch(Effect.scoped(reign(this.#reign, claim)), ({ message }) => {
      this.#core.log.error("this engine cannot lead", { reason: message });
      return Effect.never;
    });
  }

  get #pollMs(): number {
    if (this.#watch.isInDoubt) return doubtPollMs;
    return this.#isFollowing ? warmPollMs : coldPollMs;
  }

  /** Undefined if another engine leads, or if the lease cannot be read. The lease is not read while its holder answers. */
  async #claim(): Promise<Claim | undefined> {
    if (this.#core.follower.isHalted || !this.#reign.leaseLink.isConnected()) return undefined;
    const { holder } = this.#lease;
    try {
      const holderIs = holder === undefined || holder === this.id ? "unknown" : await this.#watch.look(holder);
      if (holderIs === "alive") return undefined;
      return await this.#lease.claim(performance.now(), holderIs === "gone" ? holder : undefined);
    } catch (error) {
      this.#core.log.debug("the lease could not be read", { error });
      return undefined;
    }
  }
}
