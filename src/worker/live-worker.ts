// A running worker: accepts assignments, executes them in its slots, reports, and finally drains.
import { Effect, type Scope } from "effect";
import { assertLabels, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import { answering } from "../nats/door.ts";
import { newIdentity } from "../runtime/worker-identity.ts";
import { type AssignmentMessage, type AssignmentReply, decodeAssignments } from "../wire/assignment.ts";
import { partLimit } from "../wire/parts.ts";
import { roleOf } from "../wire/result-inbox.ts";
import { decodeCancelOnWorker, protocol, type Register, type Stop } from "../wire/worker-messages.ts";
import type { Attempt, AttemptHost } from "./attempt.ts";
import { Deadlines } from "./deadline.ts";
import { declarationsOf } from "./description.ts";
import type { DurableRuns } from "./durable/durable-runs.ts";
import { durableRunsOf } from "./durable/live-runs.ts";
import { installSteps } from "./durable/steps.ts";
import { EndedAttempts } from "./ended-attempts.ts";
import { EngineProofs } from "./engine-proofs.ts";
import { Executing } from "./executing.ts";
import { HeldRuns } from "./held-runs.ts";
import { Intake } from "./intake.ts";
import { Lifeline } from "./lifeline.ts";
import { tasksAround } from "./middleware.ts";
import { Presence } from "./presence.ts";
import { Reporter } from "./reporter.ts";
import type { RunningWorker, WorkerSettings } from "./running-worker.ts";
import { SlotPool } from "./slot-pool.ts";
import { voicesOf } from "./transcripts/voices.ts";
import { Verdicts } from "./verdicts.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** A warm run only appends at first: its record goes out together with the reply. */
const behindReply = (execute: () => void, isWarm: boolean): void =>
  isWarm ? queueMicrotask(execute) : void setImmediate(execute);

const defaults = {
  ...{ shutdownTimeoutMs: 30_000, cancelGraceMs: 5_000, heartbeatMs: 4_000 },
  ...{ runtime: "unknown", version: "unknown", middleware: [], keptFrames: {} },
};
/** Time to store outcomes after the code has ended. */
const storeWithinMs = 5_000;
const tellForgedEveryMs = 10_000;

export class LiveWorker implements RunningWorker {
  readonly id: string;
  readonly #secret: string;
  readonly #proofs: { readonly assign: EngineProofs; readonly cancel: EngineProofs };
  readonly name: string;
  /** Decides which of two processes with one name is newer, so by the server's clock. */
  readonly #startedAt: number;
  readonly #parts: WorkerParts;
  readonly #options: Required<WorkerSettings>;
  readonly #slots: SlotPool;
  readonly #held = new HeldRuns();
  readonly #lifeline = new Lifeline();
  readonly #durable: DurableRuns | undefined;
  readonly #intake: Intake;
  readonly #executing: Executing;
  readonly #verdicts: Verdicts;
  readonly #presence: Presence;
  #labels: Readonly<Record<string, string | number>>;
  #isQuiet = false;
  #toldForgedAt = Number.NEGATIVE_INFINITY;

  constructor(definition: WorkerDefinition, parts: WorkerParts, options: WorkerSettings) {
    const { link, threads } = parts;
    const { id, secret } = newIdentity(roleOf(link.inboxPrefix));
    this.id = id;
    this.#secret = secret;
    this.#proofs = { assign: new EngineProofs(secret, "assign"), cancel: new EngineProofs(secret, "cancel") };
    this.name = definition.name;
    this.#startedAt = link.clock.now();
    this.#labels = definition.labels;
    this.#parts = parts;
    this.#options = { ...defaults, process: this.id, ...options };
    this.#slots = new SlotPool(definition.slots);
    const inThreads = definition.tasks.map((task) => threads?.taskOf(definition.name, task) ?? task);
    const tasks = tasksAround({ ...definition, tasks: inThreads }, options.middleware);
    this.#executing = this.#makeExecuting(tasks);
    this.#verdicts = this.#makeVerdicts();
    this.#durable = this.#makeDurable(definition);
    this.#intake = this.#makeIntake(tasks);
    this.#presence = this.#makePresence(definition);
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
    const merged = Object.entries({ ...this.#labels, ...labels }).filter(([, value]) => value !== undefined);
    this.#labels = assertLabels(Object.fromEntries(merged), `worker "${this.name}"`);
    await this.#presence.announce();
  }

  /** In the order of dependency: closing begins with the drain, while everything else still works. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    const { subjects } = this.#parts;
    return Effect.gen({ self: this }, function* () {
      yield* answering(this.#parts, subjects.worker(this.id, "assign"), (data) => this.#assigned(data));
      yield* this.#besideEngine;
      yield* answering(this.#parts, subjects.worker(this.id, "cancel"), (data) => this.#cancelled(data));
      yield* this.#presence.open;
      yield* Effect.addFinalizer(() => this.#drained);
    });
  }

  /** Quiet → drain, with heartbeats → give back the rest. */
  get #drained(): Effect.Effect<void> {
    const { shutdownTimeoutMs, cancelGraceMs } = this.#options;
    const stored = Effect.promise(() => this.#verdicts.stored());
    return Effect.gen({ self: this }, function* () {
      this.#isQuiet = true;
      this.#parts.log.info(`worker ${this.name} is draining`, { running: this.busy });
      this.#executing.leave();
      yield* Effect.promise(() => this.#presence.beat());
      yield* Effect.timeoutOption(Effect.andThen(this.#executing.ended, stored), shutdownTimeoutMs);
      this.#executing.stop();
      yield* Effect.timeoutOption(this.#executing.ended, cancelGraceMs + 100);
      yield* Effect.timeoutOption(stored, storeWithinMs);
      this.#verdicts.close();
      this.#durable?.parts.frames.clear();
    });
  }

  #makeExecuting(tasks: readonly WorkerTask[]): Executing {
    const { log, meter } = this.#parts;
    const ended = new EndedAttempts({
      ...{ ...this.#parts, worker: this.id, slots: this.slots, held: this.#held, busy: () => this.busy },
      mostUnits: Math.max(...tasks.map((task) => task.policies?.slots ?? 1)),
    });
    return new Executing({
      log,
      onBegin: (attempt) => this.#begins(attempt),
      onEnd: (attempt) => {
        if (attempt.isOver) meter?.left();
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

  #makeIntake(tasks: readonly WorkerTask[]): Intake {
    const { link, vault } = this.#parts;
    const host: AttemptHost = {
      worker: this.id,
      vault,
      graceMs: this.#options.cancelGraceMs,
      nowAfter: (stampMs) => link.clock.nowAfter(stampMs),
      deadlines: new Deadlines(),
      voiceFor: voicesOf(this.name, this.#parts),
      mayBegin: () => this.#lifeline.isAlive(this.#beatenAt),
      onSlotless: () => void this.#presence.beat(), // the engine hears of it
      onVerdict: (ended, verdict) => {
        ended.batch?.left(ended.runId);
        this.#verdicts.give(ended, verdict);
      },
    };
    return new Intake({
      ...{ slots: this.#slots, held: this.#held, host, executing: this.#executing, durable: this.#durable },
      tasks: new Map(tasks.map((task) => [task.name, task])),
      refusal: (delivery) => this.#refusal(delivery),
      epoch: () => this.#presence.newest,
    });
  }

  #makeDurable({ tasks, steps }: WorkerDefinition): DurableRuns | undefined {
    if (!tasks.some(({ durable }) => durable !== undefined)) return undefined;
    if (steps !== undefined) installSteps(steps.instance, steps.methods);
    const isHeard = () => !this.#lifeline.isCutOff(this.#beatenAt);
    return durableRunsOf(this.#parts, {
      graceMs: this.#options.cancelGraceMs,
      keep: this.#options.keptFrames,
      isHeard,
    });
  }

  #makePresence({ tasks }: WorkerDefinition): Presence {
    const { link, log } = this.#parts;
    return new Presence({
      ...{
        ...this.#parts,
        id: this.id,
        secret: this.#secret,
        name: this.name,
        lifeline: this.#lifeline,
        heartbeatMs: this.#options.heartbeatMs,
      },
      tasks: declarationsOf(tasks, partLimit(link.maxPayload), log),
      describe: () => this.#describe(),
      busy: () => this.busy,
      stopIfCutOff: () => this.#stopIfCutOff(),
      onStop: (stops) => this.#stopRuns(stops),
    });
  }

  /** The reply must be sent before code runs that may block the loop: without it the runs are lost. */
  #assigned(data: Uint8Array): AssignmentReply | Promise<AssignmentReply> {
    const delivery = decodeAssignments(data);
    const { newest } = this.#presence;
    if (delivery.epoch >= newest && !this.#proofs.assign.admits(delivery)) {
      this.#tellForged("assign");
      return { epoch: newest, refused: delivery.assignments.map((_, i) => i), why: "stale" };
    }
    if (this.#lifeline.knows(delivery.epoch)) return this.#intake.accept(delivery, behindReply);
    // The answer to the registration may be right before it.
    return new Promise((resolve) => setImmediate(() => resolve(this.#intake.accept(delivery, behindReply))));
  }

  #cancelled(data: Uint8Array): object {
    const message = decodeCancelOnWorker(data);
    if (this.#proofs.cancel.admits(message)) this.#stopRuns(message.runs);
    else this.#tellForged("cancel");
    return {};
  }

  #tellForged(verb: string): void {
    const now = performance.now();
    if (now - this.#toldForgedAt < tellForgedEveryMs) return;
    this.#toldForgedAt = now;
    this.#parts.log.warn("a message to this worker that no engine sent is refused", { worker: this.name, verb });
  }

  /** An engine of this process reaches the worker without a message. */
  get #besideEngine(): Effect.Effect<unknown, never, Scope.Scope> {
    const { link, neighbours } = this.#parts;
    return Effect.acquireRelease(
      Effect.sync(() =>
        neighbours?.add(this.id, {
          accept: (delivery) => this.#intake.accept(delivery, queueMicrotask),
          onDoubt: () => void this.#presence.beat(),
          isConnected: () => link.isConnected(),
        }),
      ),
      (end) => Effect.sync(() => end?.()),
    );
  }

  #refusal({ epoch, sentAt }: AssignmentMessage): AssignmentReply["why"] {
    // A message of this process, or of an engine that does not tell its clock yet, has no time.
    const isLate = sentAt !== undefined && this.#lifeline.isLate(epoch, sentAt);
    if (epoch < this.#presence.newest || isLate) {
      void this.#presence.beat(); // until the engine hears this, it assigns nothing to this worker
      return "stale";
    }
    return this.#isQuiet ? "quiet" : undefined;
  }

  #begins({ task, taskName, assignment }: Attempt): void {
    this.#parts.meter?.started(taskName);
    if (task.policies?.rateLimits !== undefined) this.#presence.beatSoon(); // a rate counts from here
    this.#parts.log.info("run started", { worker: this.name, run: assignment.key, attempt: assignment.attempt });
  }

  /** The leader keeps what these count for their limits until they must have stopped. */
  #stopIfCutOff(): void {
    if (!this.#lifeline.isCutOff(this.#beatenAt)) return;
    for (const attempt of this.#held.all())
      if (attempt.task.policies?.concurrency !== undefined) attempt.stop({ kind: "returned" });
  }

  #stopRuns(stops: readonly Stop[]): void {
    for (const { attempt, stop } of this.#held.named(stops)) {
      const { reason } = stop;
      const { seq, at } = stop;
      const cancelled = {
        kind: "cancelled" as const,
        reason,
        ...(seq !== undefined && { seq }),
        ...(at !== undefined && { at }),
      };
      attempt.stop(stop.kind === "fence" ? { kind: "fenced", reason } : cancelled);
    }
  }

  /** When a thread's heartbeat for this worker was last answered. */
  get #beatenAt(): number {
    return this.#parts.heart?.beatenAt ?? Number.NEGATIVE_INFINITY;
  }

  #describe(): Omit<Register, "tasks"> {
    const { process, runtime, version } = this.#options;
    return {
      ...{
        v: protocol,
        id: this.id,
        secret: this.#secret,
        name: this.name,
        slots: this.slots,
        labels: this.#labels,
        startedAt: this.#startedAt,
      },
      ...{ process, runtime, version, quiet: this.#isQuiet, executing: this.#held.list() },
    };
  }
}
