// engine/: follows the log and the lease. While it leads, it tells the scheduler what happens and carries out its commands.
// An engine's life: stands by, leads, steps down, hands over.
import { Cause, Effect, Exit, Fiber, Schedule, Scope } from "effect";
import type { Cancellations, QueueInfo } from "../domain/listing.ts";
import { type Log, silentLog } from "../domain/log.ts";
import { randomToken } from "../domain/random-token.ts";
import { openTerm, polling } from "../leader/term.ts";
import { LeaderVoice, LeaderWatch } from "../nats/leader-watch.ts";
import { type Claim, Lease, leaseTiming } from "../nats/lease.ts";
import type { NatsLink } from "../nats/link.ts";
import { makePublisher, type Publisher } from "../nats/publisher.ts";
import { Reserve } from "../nats/reserve.ts";
import { keepServerTime } from "../nats/server-time.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import { answersWithinMs, raiseFormat } from "../nats/streams.ts";
import { handOverOf } from "../presence/takeover.ts";
import { describeCancellations, describeQueues } from "../requests/describe.ts";
import { Requests } from "../requests/requests.ts";
import { atMostEvery } from "../runtime/at-most-every.ts";
import { releasingInQuietMoments } from "../runtime/quiet-moments.ts";
import type { SchedulerOptions } from "../scheduler/scheduler.ts";
import type { HandOver } from "../wire/hand-over.ts";
import { encodeMessage } from "../wire/messages.ts";
import { Neighbours } from "../wire/neighbours.ts";
import { Admission } from "./admission.ts";
import { Core, type CoreParts } from "./core.ts";
import { pingAll, pingEveryMs } from "./pinger.ts";
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
    const scope = yield* Effect.scope;
    const leaseLink = parts.leaseLink ?? parts.link;
    const leasePublisher = yield* makePublisher(leaseLink, {
      stream: parts.subjects.leaseStream,
      window: 16,
      watch: parts.store?.lease,
    });
    yield* Effect.promise(() => keepServerTime(parts.link, parts.subjects.stream, clockLogOf(parts)));
    const engine = new Candidate({ ...parts, leaseLink, leasePublisher, scope }, options);
    yield* engine.live;
    if (options.mode === "warm") yield* engine.follow;
    const loop = yield* Effect.forkScoped(engine.seekLease);
    yield* Effect.addFinalizer(() => Fiber.interrupt(loop));
    return engine;
  });

/** A worker of the same process says it already. */
const clockLogOf = ({ neighbours, log }: EngineParts): Log =>
  neighbours === undefined ? log : { ...silentLog, warn: (message, fields) => log.debug(message, fields) };

const retryPause = Schedule.min([Schedule.exponential(250, 1.5), Schedule.spaced(5_000)]);
const lookEveryMs = 1_000;
const releaseEveryMs = 5_000;
const firstAnswerWithinMs = 250;
const tellAfterMs = 2_000;
const tellEveryMs = 10_000;
/** How often a standby checks the leader: a warm one gains from every moment. */
const warmPollMs = 250;
const coldPollMs = 500;
/** While the leader does not answer. */
const doubtPollMs = 150;

interface CandidateParts extends EngineParts {
  readonly leaseLink: NatsLink;
  readonly leasePublisher: Publisher;
  readonly scope: Scope.Scope;
}

class Candidate implements RunningEngine {
  readonly id = `engine-${randomToken(8)}`;
  readonly #parts: CandidateParts;
  /** As its workers name it. */
  readonly #process: string | undefined;
  readonly #lease: Lease;
  readonly #watch: LeaderWatch;
  readonly #core: Core;
  readonly #requests: Requests;
  readonly #admission: Admission;
  #isFollowing = false;
  /** The namespace is of a newer format than this engine's. */
  #isOutdated = false;
  /** Turns in a row that failed. */
  #failures = 0;
  #onLeading: (() => void)[] = [];

  constructor(parts: CandidateParts, options: EngineOptions) {
    const { link, leaseLink, leasePublisher, subjects, neighbours = new Neighbours(), store: watch } = parts;
    this.#parts = parts;
    this.#process = options.process;
    this.#lease = new Lease(leaseLink, leasePublisher, subjects, this.id);
    this.#watch = new LeaderWatch(leaseLink, subjects);
    const { maxBytes, replicas = 1 } = options;
    const hashSeed = crypto.getRandomValues(new Int32Array(1))[0]!;
    const scheduler = { hashSeed, ...options.scheduler };
    const holdsLease = () => !this.#lease.isExpired(performance.now());
    this.#core = new Core({ ...parts, engine: this.id, neighbours, scheduler, holdsLease });
    this.#requests = new Requests(this.#core);
    this.#admission = new Admission(this.#core, { maxBytes, watch, reserve: new Reserve(link, subjects, replicas) });
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

  /** Begins to fold the log, once. */
  get follow(): Effect.Effect<void> {
    if (this.#isFollowing) return Effect.void;
    this.#isFollowing = true;
    // What was purged before reading begins is not a loss; only the floor distinguishes it from what is purged meanwhile.
    const checked = Effect.promise(() => this.#core.checkFloor());
    return Scope.provide(Effect.andThen(checked, this.#core.follower.follow()), this.#parts.scope);
  }

  /** While the scope is open, whoever leads. */
  get live(): Effect.Effect<void, never, Scope.Scope> {
    const { log } = this.#parts;
    const release = releasingInQuietMoments(() => this.#core.progress.position + this.#core.state.live.size);
    return Effect.gen({ self: this }, function* () {
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#core.close()));
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#admission.close()));
      yield* this.#watch.listening;
      // Also on a standby: what is due from now on is fired, however long it takes until this engine leads.
      yield* polling(lookEveryMs, log, () => this.#core.life.beat());
      yield* polling(releaseEveryMs, log, release);
    });
  }

  /** Forever: claims the lease when it is free, and leads as long as it is ours. */
  get seekLease(): Effect.Effect<never> {
    const turn = Effect.gen({ self: this }, function* () {
      const claim = yield* Effect.promise(() => this.#claim());
      if (claim === undefined) yield* Effect.raceFirst(Effect.sleep(this.#pollMs), this.#watch.freed);
      else yield* Effect.scoped(this.#reign(claim));
    });
    return Effect.forever(Effect.catchCause(turn, (cause) => this.#beginAnew(cause)));
  }

  /** Whatever went wrong: let another engine lead for now. */
  #beginAnew(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt;
    const pauseMs = Math.min(1_000 * 2 ** this.#failures++, 30_000);
    const what = "this engine cannot lead; it gives up its lease and tries again";
    this.#parts.log.error(what, { inMs: pauseMs, error: Cause.squash(cause) });
    return Effect.sleep(pauseMs);
  }

  /**
   * One term. It closes what it has opened, newest first: periodic work and answers stop, the state on which it led is
   * dropped, pending writes are given up, the lease is released, and standbys are told that it is free.
   */
  #reign(claim: Claim): Effect.Effect<void, never, Scope.Scope> {
    const { leaseLink, subjects, log } = this.#parts;
    return Effect.gen({ self: this }, function* () {
      let handOver: HandOver = {};
      const voice = new LeaderVoice(leaseLink, subjects, this.id, log);
      yield* Effect.addFinalizer((exit) => this.#giveUpLease(exit, handOver, voice));
      const term = yield* openTerm(claim.epoch, log);
      this.#core.term = term;
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          const { leadership } = this.#core.state;
          if (leadership !== undefined) handOver = handOverOf(leadership.matching);
          this.#core.handle({ type: "stepDown" });
        }),
      );
      yield* voice.alive;
      const isOver = Effect.raceFirst(this.#untilLost, term.ended);
      yield* Effect.raceFirst(Effect.andThen(this.#lead(claim), Effect.never), isOver);
    });
  }

  /** An engine that leaves hands over: a standby leads at once, with the ledger from the lease. A lease that is lost, or whose state is gone, expires by itself. */
  #giveUpLease(exit: Exit.Exit<unknown, unknown>, handOver: HandOver, voice: LeaderVoice): Effect.Effect<void> {
    if (Exit.isSuccess(exit) || !this.#parts.leaseLink.isConnected()) return Effect.void;
    const isLeaving = Cause.hasInterruptsOnly(exit.cause);
    const released = Effect.tryPromise(() => this.#lease.release(isLeaving ? handOver : {}));
    const tell = () => {
      voice.sayFree();
      this.#parts.log.debug("engine handed over", { engine: this.id });
    };
    return Effect.ignore(Effect.andThen(released, Effect.sync(tell)));
  }

  get #pollMs(): number {
    if (this.#watch.isInDoubt) return doubtPollMs;
    return this.#isFollowing ? warmPollMs : coldPollMs;
  }

  /** Undefined while another engine leads, or none can. While the holder answers, nothing is read. */
  async #claim(): Promise<Claim | undefined> {
    const { leaseLink, log } = this.#parts;
    if (this.#isOutdated || this.#core.follower.isHalted || !leaseLink.isConnected()) return undefined;
    const { holder } = this.#lease;
    try {
      const holderIs = holder === undefined || holder === this.id ? "unknown" : await this.#watch.look(holder);
      if (holderIs === "alive") return undefined;
      return await this.#lease.claim(performance.now(), holderIs === "gone" ? holder : undefined);
    } catch (error) {
      log.debug("the lease could not be read", { error });
      return undefined;
    }
  }

  /** Renews the lease, also while this engine is still taking over; ends when it is ours no longer. */
  get #untilLost(): Effect.Effect<void> {
    const renew = async () => {
      const isOurs = await this.#lease.renew(performance.now());
      if (this.state !== "leading") return isOurs;
      if (isOurs) this.#requests.rememberWorkers();
      else this.#parts.log.warn("engine lost its lease and is standing by", { engine: this.id });
      return isOurs;
    };
    const renewal = Effect.delay(Effect.promise(renew), leaseTiming.renewMs);
    return Effect.asVoid(Effect.repeat(renewal, { while: (isOurs) => isOurs }));
  }

  /** Folds to the end of the log, announces that it leads, and lets workers register before it assigns. */
  #lead(claim: Claim): Effect.Effect<void, never, Scope.Scope> {
    const { link, subjects, log } = this.#parts;
    return Effect.gen({ self: this }, function* () {
      if (!(yield* this.#raiseFormat)) return;
      yield* this.follow;
      const { known, tried, briefing } = yield* this.#untilStored(async () => {
        await this.#core.progress.catchUp();
        await this.#core.checkFloor(); // may begin a rebuild,
        await this.#core.progress.catchUp(); // which must be through before it leads
        const measured = link.clock.measure(); // what is due is decided by it
        const [kept] = await Promise.all([this.#core.bucket.read(), this.#requests.load(), measured]);
        return kept;
      });
      yield* this.#requests.open;
      this.#core.handle({ type: "briefed", briefing });
      this.#core.handle({ type: "lead", ...claim, ...known, ...tried, process: this.#process });
      link.nc.publish(subjects.epoch, encodeMessage({ epoch: claim.epoch, engine: this.id }));
      this.#failures = 0;
      this.#requests.resumeErasures();
      log.debug("engine leads", { engine: this.id, epoch: claim.epoch, live: this.#core.state.live.size });
      for (const listener of this.#onLeading.splice(0)) listener();
      yield* this.#lookAfter;
    });
  }

  get #lookAfter(): Effect.Effect<void, never, Scope.Scope> {
    const { log } = this.#parts;
    this.#admission.begin();
    return Effect.andThen(
      polling(pingEveryMs, log, () => pingAll(this.#core)),
      polling(lookEveryMs, log, () => Promise.all([this.#admission.look(), this.#requests.eraseRemains()])),
    );
  }

  /** Engines of an older version cannot lead from here on; false if this is one of them. */
  get #raiseFormat(): Effect.Effect<boolean> {
    const { link, subjects, log } = this.#parts;
    // A server that has just started loses such questions, and workers wait meanwhile: the first ones are asked again soon.
    let withinMs = firstAnswerWithinMs / 2;
    return this.#untilStored(async () => {
      withinMs = Math.min(withinMs * 2, answersWithinMs);
      const refusal = await raiseFormat(link, subjects, log, withinMs);
      if (refusal === undefined) {
        this.#lease.raised();
        return true;
      }
      this.#isOutdated = true;
      this.#core.term.end();
      log.error("this engine cannot lead", { reason: refusal.message });
      await this.#lease.release({});
      return false;
    });
  }

  /** Whoever waits for an engine must be able to read why none leads. */
  #untilStored<T>(read: () => Promise<T>): Effect.Effect<T> {
    const since = performance.now();
    const tell = atMostEvery(tellEveryMs, (error: unknown) => {
      const forS = Math.round((performance.now() - since) / 1_000);
      this.#parts.log.error("this engine holds the lease and cannot take over yet; retrying", { forS, error });
    });
    return Effect.tryPromise({ try: read, catch: (error) => error }).pipe(
      Effect.tapError((error) => Effect.sync(() => performance.now() - since > tellAfterMs && tell(error))),
      Effect.retry({ schedule: retryPause }),
      Effect.orDie,
    );
  }
}
