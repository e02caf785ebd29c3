// worker/presence/: what a worker tells the engine that leads, and hears from it.
// How the engine knows this worker: it registers, again after every outage and with every new leader, and sends heartbeats in between.
import * as Effect from "effect/Effect";
import * as FiberSet from "effect/FiberSet";
import type * as Scope from "effect/Scope";
import { answering, hearing } from "../../nats/door.ts";
import type { AssignmentMessage, AssignmentReply } from "../../wire/assignment.ts";
import { encodeMessage } from "../../wire/messages.ts";
import {
  decodeHeartbeatReply,
  decodePing,
  decodeRegistered,
  type Register,
  type TaskDeclaration,
} from "../../wire/worker-messages.ts";
import type { Self } from "../self.ts";
import { EngineProofs } from "./engine-proofs.ts";
import { NewestEpoch } from "./newest-epoch.ts";
import { tellEngine } from "./tell.ts";

export interface PresenceParts {
  readonly self: Self;
  readonly tasks: readonly TaskDeclaration[];
  readonly heartbeatMs: number;
}

/** The pause between two tries to register. */
const firstPauseMs = 100;
const longestPauseMs = 2_000;
const soonMs = 100;
const tellAfterMs = 3_000;
const noReason = (): undefined => undefined;

export class Presence {
  /** Why no engine sends runs to this worker, as far as it knows; undefined while one does. */
  obstacle: string | undefined = "not registered with an engine yet";
  /** Resolves when the worker is registered for the first time. */
  readonly registered: Promise<void>;
  readonly #newest: NewestEpoch;
  readonly #self: Self;
  readonly #tasks: readonly TaskDeclaration[];
  readonly #heartbeatMs: number;
  #tellRegistered!: () => void;
  #registering: Promise<void> | undefined;
  #mustRegisterAgain = false;
  /** It has refused what came before the answer to its first registration: the engine must hear that it takes runs now. */
  #mustBeat = false;
  /** Ends the pause between two tries to register. */
  #hurry = () => {};
  #lastBeat: Promise<void> = Promise.resolve();
  #nextBeat: Promise<void> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  /** Runs what ends with the scope. */
  #run!: (effect: Effect.Effect<void>) => Promise<void>;

  constructor({ self, tasks, heartbeatMs }: PresenceParts) {
    this.#self = self;
    this.#tasks = tasks;
    this.#heartbeatMs = heartbeatMs;
    this.#newest = new NewestEpoch(() => self.lifeline.now());
    this.registered = new Promise((resolve) => {
      this.#tellRegistered = resolve;
    });
  }

  /** The highest known epoch; assignments of an older leader are refused. */
  get newest(): number {
    return this.#newest.value;
  }

  /** Why nothing of a message is accepted; undefined if it may be. */
  refusal({ epoch, sentAt }: AssignmentMessage): AssignmentReply["why"] {
    const { lifeline, isQuiet } = this.#self;
    // A message of this process, or of an engine that does not tell its clock yet, has no time.
    const isLate = sentAt !== undefined && lifeline.isLate(epoch, sentAt);
    if (epoch >= this.newest && !isLate) return isQuiet ? "quiet" : undefined;
    void this.beat(); // until the engine hears this, it assigns nothing to this worker
    return "stale";
  }

  /** From now on it registers and sends heartbeats; at the end it stops them, says goodbye, and only then stops listening. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    const { id, description, link, log, subjects, heart, executing } = this.#self;
    const proofs = new EngineProofs(description.secret, "ping");
    const onPing = (data: Uint8Array) => {
      const ping = decodePing(data);
      this.#meetLeader(ping.epoch, proofs.admits(ping));
      return { busy: executing.size };
    };
    return Effect.gen({ self: this }, function* () {
      yield* answering({ link, log }, subjects.worker(id, "ping"), onPing);
      yield* hearing(link, subjects.epoch, ({ data }) => this.#meetLeader(decodePing(data).epoch, false));
      yield* Effect.addFinalizer(() => Effect.promise(() => this.#leave()));
      this.#run = yield* FiberSet.makeRuntimePromise<never, void, never>();
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(Effect.sleep(this.#heartbeatMs), () => Effect.sync(() => void this.beat()))),
      );
      yield* Effect.acquireRelease(
        Effect.sync(() => link.onReconnect(() => this.#reconnected())),
        (stopListening) => Effect.sync(stopListening),
      );
      yield* Effect.addFinalizer(() => Effect.sync(() => clearTimeout(this.#soon)));
      const onTurning = () => void this.beat();
      heart?.add(id, { tasks: this.#tasks, describe: () => this.#described, onTurning });
      yield* Effect.addFinalizer(() => Effect.sync(() => heart?.remove(id)));
      void this.announce();
    });
  }

  get #described(): Omit<Register, "tasks"> {
    const { description, held, isQuiet } = this.#self;
    return description.now(isQuiet, held.list());
  }

  /** A process that was suspended must not claim what it has to end: before each message, and when a heartbeat fails. */
  #stopIfCutOff(): void {
    const { lifeline, held } = this.#self;
    if (lifeline.isCutOff()) held.giveBackLimited();
  }

  #reconnected(): void {
    this.obstacle = "registering again after a reconnect";
    void this.announce();
  }

  /**
   * A heartbeat with the current state; a leader that does not know this worker makes it register again.
   *
   * One at a time: what happens meanwhile is reported by the next, however often that is requested.
   */
  beat(): Promise<void> {
    this.#nextBeat ??= this.#lastBeat.then(() => {
      this.#nextBeat = undefined;
      this.#lastBeat = this.#beatOnce();
      return this.#lastBeat;
    });
    return this.#nextBeat;
  }

  async #beatOnce(): Promise<void> {
    const { id, link, log, heart, lifeline, held } = this.#self;
    const before = lifeline.epoch;
    if (before === 0) {
      this.#mustBeat = true;
      return;
    }
    this.#stopIfCutOff();
    if (!link.isConnected()) return;
    const { executing, quiet, secret } = this.#described;
    try {
      log.debug("heartbeat", { id, executing: executing.length });
      const head = { id, secret, quiet, lagMs: heart?.takeLag(id) ?? 0 };
      const askedAt = lifeline.now();
      const reply = await tellEngine(this.#self, "heartbeat", head, { executing });
      const { epoch, known, cancel, clock } = decodeHeartbeatReply(reply);
      this.#newest.hear(epoch);
      if (known && epoch === lifeline.epoch) lifeline.answered(askedAt, clock);
      held.stop(cancel);
      this.obstacle = known ? undefined : "the engine does not know this worker; registering again";
      if (!known || epoch > lifeline.epoch) void this.announce();
    } catch (error) {
      this.#stopIfCutOff();
      // nobody leads just now; the next leader announces itself
      if (lifeline.epoch === before) this.obstacle = `no engine answers: ${(error as Error).message}`;
    }
  }

  /** A heartbeat for what has started by now; runs that end before it need none. */
  beatSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      if (this.#self.executing.size > 0) void this.beat();
    }, soonMs);
  }

  /** Says goodbye, so that nobody waits for heartbeats that will not come. */
  async #leave(): Promise<void> {
    const { id, description, link, subjects } = this.#self;
    const { secret } = description;
    if (!link.isConnected()) return;
    await link.nc.request(subjects.engine("leave"), encodeMessage({ id, secret }), { timeout: 1_000 }).catch(() => {});
  }

  #meetLeader(epoch: number, isProven: boolean): void {
    if (isProven) this.#newest.hear(epoch);
    else if (!this.#newest.overhear(epoch)) return;
    if (epoch > this.#self.lifeline.epoch) void this.announce();
  }

  /** Registers again; resolves when an engine knows what is described now, or the worker is closed. */
  announce(): Promise<void> {
    this.#mustRegisterAgain = true;
    this.#hurry();
    this.#registering ??= this.#run(this.#untilKnown)
      .catch(() => {}) // closed
      .finally(() => {
        this.#registering = undefined;
      });
    return this.#registering;
  }

  get #untilKnown(): Effect.Effect<void> {
    const tellWaiting = this.#tellingWaiting();
    return Effect.gen({ self: this }, function* () {
      for (let pauseMs = firstPauseMs; this.#mustRegisterAgain; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
        const why = yield* Effect.promise(() => this.#register().then(noReason, (error: Error) => error.message));
        if (why === undefined || this.#mustRegisterAgain) continue; // in the meantime it was told who leads, for example
        tellWaiting(why);
        yield* Effect.raceFirst(Effect.sleep(pauseMs), this.#hurried);
        this.#mustRegisterAgain = true;
      }
    });
  }

  /** Resolves when there is a reason to register without waiting any longer. */
  get #hurried(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.#hurry = () => resume(Effect.void);
    });
  }

  #tellingWaiting(): (reason: string) => void {
    const begunAt = performance.now();
    let hasTold = false;
    return (reason) => {
      if (hasTold || performance.now() - begunAt <= tellAfterMs) return;
      hasTold = true;
      this.#self.log.warn("no engine answers yet; runs wait until one leads", { reason });
    };
  }

  /** Fails: Error with what went wrong */
  async #register(): Promise<void> {
    this.#mustRegisterAgain = false;
    const { log, lifeline, held } = this.#self;
    this.#stopIfCutOff();
    const askedAt = lifeline.now();
    const { executing, ...head } = this.#described;
    const before = lifeline.epoch;
    const heard = this.newest;
    const asked = before === 0 ? head : { ...head, heard };
    const reply = await tellEngine(this.#self, "register", asked, { tasks: this.#tasks, executing });
    const { epoch, engine, cancel, clock } = decodeRegistered(reply);
    const followed = this.#newest.follow(epoch);
    if (followed === false) throw new Error(`engine ${engine} belongs to the old epoch ${epoch}`);
    if (followed === "silent")
      log.warn("the leader of the newest epoch is silent; following the engine that answers", {
        ...{ engine, epoch, newest: heard },
      });
    if (epoch > before) log.debug("engine found", { engine, epoch });
    lifeline.follow(epoch);
    lifeline.answered(askedAt, clock);
    this.obstacle = undefined;
    // Until this answer arrived it might have accepted runs from an older leader.
    if (before > 0 && epoch > heard) this.#mustRegisterAgain = true;
    held.stop(cancel);
    this.#tellRegistered();
    if (!this.#mustBeat) return;
    this.#mustBeat = false;
    void this.beat();
  }
}
