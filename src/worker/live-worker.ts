// A running worker: accepts assignments, executes them in its slots, reports, and finally drains.
import { Effect, type Scope } from "effect";
import type { WorkerDefinition, WorkerTask } from "../domain/worker.ts";
import { partLimit } from "../wire/parts.ts";
import type { Attempt, AttemptHost } from "./attempt.ts";
import { Deadlines } from "./deadline.ts";
import { Description, declarationsOf } from "./description.ts";
import type { DurableRuns } from "./durable/durable-runs.ts";
import { durableRunsOf } from "./durable/live-runs.ts";
import { installSteps } from "./durable/steps.ts";
import { EndedAttempts } from "./ended-attempts.ts";
import { Executing } from "./executing.ts";
import { HeldRuns } from "./held-runs.ts";
import { Intake } from "./intake.ts";
import { Lifeline } from "./lifeline.ts";
import { tasksAround } from "./middleware.ts";
import { Orders } from "./orders.ts";
import { Presence } from "./presence.ts";
import { Reporter } from "./reporter.ts";
import type { RunningWorker, WorkerSettings } from "./running-worker.ts";
import { SlotPool } from "./slot-pool.ts";
import { voicesOf } from "./transcripts/voices.ts";
import { Verdicts } from "./verdicts.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** Time to store outcomes after the code has ended. */
const storeWithinMs = 5_000;

export class LiveWorker implements RunningWorker {
  readonly #parts: WorkerParts;
  readonly #settings: WorkerSettings;
  readonly #graceMs: number;
  readonly #self: Description;
  readonly #slots: SlotPool;
  readonly #held = new HeldRuns();
  readonly #lifeline: Lifeline;
  readonly #executing: Executing;
  readonly #verdicts: Verdicts;
  readonly #durable: DurableRuns | undefined;
  readonly #presence: Presence;
  readonly #orders: Orders;
  #isQuiet = false;

  constructor(definition: WorkerDefinition, parts: WorkerParts, settings: WorkerSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#graceMs = settings.cancelGraceMs ?? 5_000;
    this.#self = new Description(definition, parts.link, settings);
    this.#slots = new SlotPool(definition.slots);
    this.#lifeline = new Lifeline(undefined, () => parts.heart?.beatenAt ?? Number.NEGATIVE_INFINITY);
    const inThreads = definition.tasks.map((task) => parts.threads?.taskOf(definition.name, task) ?? task);
    const tasks = tasksAround({ ...definition, tasks: inThreads }, settings.middleware);
    this.#executing = this.#makeExecuting(tasks);
    this.#verdicts = this.#makeVerdicts();
    this.#durable = this.#makeDurable(definition);
    this.#presence = this.#makePresence(definition);
    this.#orders = this.#makeOrders(tasks);
  }

  get id(): string {
    return this.#self.id;
  }
  get name(): string {
    return this.#self.name;
  }
  get registered(): Promise<void> {
    return this.#presence.registered;
  }
  get busy(): number {
    return this.#executing.size;
  }
  get slots(): number {
    return this.#slots.size;
  }
  get held(): number {
    return this.#held.size;
  }
  get obstacle(): string | undefined {
    if (this.#isQuiet) return "draining";
    return this.#parts.link.isConnected() ? this.#presence.obstacle : "not connected to NATS";
  }

  async label(labels: Readonly<Record<string, string | number | undefined>>): Promise<void> {
    this.#self.label(labels);
    await this.#presence.announce();
  }

  /** In the order of dependency: closing begins with the drain, while everything else still works. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      yield* this.#orders.open;
      yield* this.#presence.open;
      yield* Effect.addFinalizer(() => this.#drained);
    });
  }

  /** Quiet → drain, with heartbeats → give back the rest. */
  get #drained(): Effect.Effect<void> {
    const { shutdownTimeoutMs = 30_000 } = this.#settings;
    const stored = Effect.promise(() => this.#verdicts.stored());
    return Effect.gen({ self: this }, function* () {
      this.#isQuiet = true;
      this.#parts.log.info(`worker ${this.name} is draining`, { running: this.busy });
      this.#executing.leave();
      yield* Effect.promise(() => this.#presence.beat());
      yield* Effect.timeoutOption(Effect.andThen(this.#executing.ended, stored), shutdownTimeoutMs);
      this.#executing.stop();
      yield* Effect.timeoutOption(this.#executing.ended, this.#graceMs + 100);
      yield* Effect.timeoutOption(stored, storeWithinMs);
      this.#verdicts.close();
      this.#durable?.parts.frames.clear();
    });
  }

  #makeExecuting(tasks: readonly WorkerTask[]): Executing {
    const ended = new EndedAttempts({
      ...{ ...this.#parts, worker: this.id, slots: this.slots, held: this.#held, busy: () => this.busy },
      mostUnits: Math.max(...tasks.map((task) => task.policies?.slots ?? 1)),
    });
    return new Executing({
      log: this.#parts.log,
      onBegin: (attempt) => this.#begins(attempt),
      onEnd: (attempt) => {
        if (attempt.isOver) this.#parts.meter?.left();
        ended.add(attempt.assignment);
      },
    });
  }

  #makeVerdicts(): Verdicts {
    const { link, publisher, subjects, log, neighbours: witness } = this.#parts;
    const reporter = new Reporter({
      ...{ worker: this.id, publisher, witness, subjects },
      entryBytes: () => Math.floor(link.maxPayload / 4),
      executing: () => this.busy,
      onStored: (attempts) => {
        for (const attempt of attempts) this.#held.release(attempt);
      },
      onTrouble: (error) => log.warn("outcomes could not be stored yet; retrying", { worker: this.name, error }),
    });
    const onFenced = (attempt: Attempt) => {
      this.#held.forget(attempt);
      void this.#presence.beat();
    };
    return new Verdicts({ ...this.#parts, worker: this.id, name: this.name, reporter, onFenced });
  }

  #makeDurable({ tasks, steps }: WorkerDefinition): DurableRuns | undefined {
    if (!tasks.some(({ durable }) => durable !== undefined)) return undefined;
    if (steps !== undefined) installSteps(steps.instance, steps.methods);
    const isHeard = () => !this.#lifeline.isCutOff();
    return durableRunsOf(this.#parts, { graceMs: this.#graceMs, keep: this.#settings.keptFrames ?? {}, isHeard });
  }

  #makePresence({ tasks }: WorkerDefinition): Presence {
    return new Presence({
      ...{ ...this.#parts, id: this.id, secret: this.#self.secret, lifeline: this.#lifeline },
      heartbeatMs: this.#settings.heartbeatMs ?? 4_000,
      tasks: declarationsOf(tasks, partLimit(this.#parts.link.maxPayload), this.#parts.log),
      describe: () => this.#self.now(this.#isQuiet, this.#held.list()),
      busy: () => this.busy,
      stopIfCutOff: () => {
        if (this.#lifeline.isCutOff()) this.#held.giveBackLimited();
      },
      onStop: (stops) => this.#held.stop(stops),
    });
  }

  #makeOrders(tasks: readonly WorkerTask[]): Orders {
    const intake: Intake = new Intake({
      ...{ slots: this.#slots, held: this.#held, executing: this.#executing, durable: this.#durable },
      host: this.#host,
      tasks: new Map(tasks.map((task) => [task.name, task])),
      refusal: (delivery) => this.#orders.refusal(delivery),
      epoch: () => this.#presence.newest,
    });
    return new Orders({
      ...{ ...this.#parts, self: this.#self, held: this.#held, lifeline: this.#lifeline, presence: this.#presence },
      intake,
      isQuiet: () => this.#isQuiet,
    });
  }

  get #host(): AttemptHost {
    const { link, vault } = this.#parts;
    return {
      ...{ worker: this.id, vault, graceMs: this.#graceMs, deadlines: new Deadlines() },
      nowAfter: (stampMs) => link.clock.nowAfter(stampMs),
      voiceFor: voicesOf(this.name, this.#parts),
      mayBegin: () => this.#lifeline.isAlive(),
      onSlotless: () => void this.#presence.beat(), // the engine hears of it
      onVerdict: (ended, verdict) => {
        ended.batch?.left(ended.runId);
        this.#verdicts.give(ended, verdict);
      },
    };
  }

  #begins({ task, taskName, assignment }: Attempt): void {
    this.#parts.meter?.started(taskName);
    if (task.policies?.rateLimits !== undefined) this.#presence.beatSoon(); // a rate counts from here
    this.#parts.log.info("run started", { worker: this.name, run: assignment.key, attempt: assignment.attempt });
  }
}
