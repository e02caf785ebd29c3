// A worker from its registration to its last outcome: receives assignments, executes them in its slots, reports, and leaves in order.
import { Effect, type Scope } from "effect";
import { WorkerNotStarted } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { randomToken } from "../domain/random-token.ts";
import { isFinal, taskOf } from "../domain/run.ts";
import { jsonSchemaOf } from "../domain/schema.ts";
import { assertLabels, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import { keepServerTime } from "../nats/server-time.ts";
import { type Assignment, type AssignmentReply, decodeAssignments } from "../protocol/assignment.ts";
import { decodeCancelOnWorker, encodeMessage, errorReply, type Register, type Stop } from "../protocol/messages.ts";
import { atMost } from "../runtime/at-most.ts";
import { Attempt, type AttemptHost, type Verdict } from "./attempt.ts";
import { Batch } from "./batch.ts";
import { Deadlines } from "./deadline.ts";
import { EndedAttempts } from "./ended-attempts.ts";
import { HeldRuns } from "./held-runs.ts";
import { consoleOf } from "./line.ts";
import { tasksAround } from "./middleware.ts";
import { outcomeOf } from "./outcome.ts";
import { Presence } from "./presence.ts";
import { type Report, Reporter } from "./reporter.ts";
import type { RunningWorker, WorkerOptions, WorkerParts } from "./running-worker.ts";
import { Slots } from "./slots.ts";
import { Transcript } from "./transcript.ts";
import type { Voice } from "./voice.ts";

export type { RunningWorker, WorkerParts } from "./running-worker.ts";

/** Starts a worker that lives as long as the scope; closing it drains: quiet, finish, give back the rest, leave. */
export const makeWorker = (
  definition: WorkerDefinition,
  parts: WorkerParts,
  options: WorkerOptions = {},
): Effect.Effect<RunningWorker, WorkerNotStarted, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const { link, subjects, log } = parts;
      yield* Effect.promise(() => keepServerTime(link, subjects.stream, log));
      const worker = new LiveWorker(definition, parts, options);
      if (definition.onStart)
        yield* Effect.tryPromise({
          try: async () => definition.onStart!(),
          catch: (cause) => new WorkerNotStarted({ worker: definition.name, cause }),
        });
      worker.open();
      return worker;
    }),
    (worker) => Effect.promise(() => worker.close()),
  );

interface Started {
  readonly attempt: Attempt;
  /** Holds its slot already. */
  readonly run: Effect.Effect<void>;
}

class LiveWorker implements RunningWorker {
  readonly id = `w${randomToken(21)}`;
  /** Which of two processes of one name is the newer: so by the server's clock. */
  readonly #startedAt: number;
  readonly name: string;
  readonly #definition: WorkerDefinition;
  readonly #parts: WorkerParts;
  readonly #options: Required<WorkerOptions>;
  readonly #tasks: Map<string, WorkerTask>;
  readonly #slots: Slots;
  readonly #held = new HeldRuns();
  readonly #host: AttemptHost;
  readonly #reporter: Reporter;
  readonly #ended: EndedAttempts;
  readonly #presence: Presence;
  #labels: Readonly<Record<string, string | number>>;
  #isQuiet = false;
  /** Ended attempts whose last words are being stored. */
  readonly #telling = new Set<Promise<void>>();
  /** When it was said last: at most every 10 s, it concerns all runs alike. */
  #unstoredAt = Number.NEGATIVE_INFINITY;
  readonly #end: (() => void)[] = [];
  #onFree: (() => void)[] = [];

  constructor(definition: WorkerDefinition, parts: WorkerParts, options: WorkerOptions) {
    this.name = definition.name;
    this.#startedAt = parts.link.clock.now();
    this.#definition = definition;
    this.#labels = definition.labels;
    this.#parts = parts;
    this.#options = {
      shutdownTimeoutMs: 30_000,
      cancelGraceMs: 5_000,
      heartbeatMs: 4_000,
      runtime: "unknown",
      version: "unknown",
      middleware: [],
      ...options,
    };
    const threaded = definition.tasks.map((task) => parts.threads?.taskOf(definition.name, task) ?? task);
    const tasks = tasksAround({ ...definition, tasks: threaded }, options.middleware);
    this.#tasks = new Map(tasks.map((task) => [task.name, task]));
    this.#slots = new Slots(definition.slots);
    this.#ended = new EndedAttempts({
      worker: this.id,
      link: parts.link,
      neighbours: parts.neighbours,
      slots: this.#slots,
      mostUnits: Math.max(...tasks.map((task) => task.policies?.slots ?? 1)),
      held: this.#held,
    });
    this.#host = {
      worker: this.id,
      letGo: (holder) => this.#letGo(holder),
      graceMs: this.#options.cancelGraceMs,
      nowAfter: (stampMs) => parts.link.clock.nowAfter(stampMs),
      deadlines: new Deadlines(),
      voiceFor: (speaking) => this.#voiceOf(speaking),
      onVerdict: (ended, verdict) => {
        ended.batch?.left(ended.runId);
        this.#report(ended, verdict);
      },
    };
    const { link, publisher, subjects, log, neighbours: witness } = parts;
    this.#reporter = new Reporter({
      worker: this.id,
      publisher,
      witness,
      subjects,
      entryBytes: () => Math.floor(link.maxPayload / 4),
      executing: () => this.busy,
      onStored: (attempts) => {
        for (const attempt of attempts) this.#held.release(attempt);
      },
      onTrouble: (error) => log.warn("outcomes are not stored yet", { worker: this.name, error }),
    });
    this.#presence = new Presence({
      id: this.id,
      link,
      subjects,
      log,
      heartbeatMs: this.#options.heartbeatMs,
      describe: () => this.#describe(),
      busy: () => this.busy,
      lagMs: () => parts.heart?.takeLag(this.id) ?? 0,
      onStop: (stops) => this.#stopRuns(stops),
    });
  }

  get registered(): Promise<void> {
    return this.#presence.registered;
  }

  get busy(): number {
    return this.#slots.holders;
  }

  async label(labels: Readonly<Record<string, string | number | undefined>>): Promise<void> {
    const merged = Object.entries({ ...this.#labels, ...labels }).filter(([, value]) => value !== undefined);
    this.#labels = assertLabels(Object.fromEntries(merged), `worker "${this.name}"`);
    await this.#presence.announce();
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

  open(): void {
    const { link, subjects, log, neighbours, heart } = this.#parts;
    // The reply has to be written before code that may block the loop: without it the runs are lost.
    this.#answer(subjects.worker(this.id, "assign"), (data) => {
      const { epoch, assignments } = decodeAssignments(data);
      return this.#accept(epoch, assignments, setImmediate);
    });
    if (neighbours !== undefined) {
      const accept = (epoch: number, assignments: readonly Assignment[]) =>
        this.#accept(epoch, assignments, queueMicrotask);
      this.#end.push(neighbours.add(this.id, { accept, isConnected: () => link.isConnected() }));
    }
    this.#answer(subjects.worker(this.id, "cancel"), (data) => {
      this.#stopRuns(decodeCancelOnWorker(data).runs);
      return {};
    });
    this.#presence.start();
    heart?.add(this.id, { describe: () => this.#describe(), onTurning: () => void this.#presence.beat() });
    this.#end.push(() => heart?.remove(this.id));
    const names = [...this.#tasks.keys()].join(", ");
    void this.registered.then(() =>
      log.info(`worker '${this.name}' (${this.#slots.size} slots) waiting for [${names}]`, { id: this.id }),
    );
  }

  /** Quiet → drain, heartbeats going on → give back what is left → leave. */
  async close(): Promise<void> {
    const { log } = this.#parts;
    this.#isQuiet = true;
    log.info(`worker '${this.name}' draining`, { running: this.busy });
    await this.#presence.beat();
    await this.#untilFree(this.#options.shutdownTimeoutMs);
    for (const attempt of this.#held.all()) attempt.stop({ kind: "returned" });
    await this.#untilFree(this.#options.cancelGraceMs + 100);
    await atMost(5_000, this.#stored());
    this.#reporter.close();
    await this.#presence.leave();
    this.#presence.close();
    for (const end of this.#end) end();
    await this.#definition.onStop?.();
    log.info(`worker '${this.name}' stopped`);
  }

  /** Answers requests on a subject; a malformed one is answered with its error and changes nothing. */
  #answer(subject: string, reply: (data: Uint8Array) => unknown): void {
    const subscription = this.#parts.link.nc.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          message.respond(encodeMessage(reply(message.data)));
        } catch (problem) {
          this.#parts.log.error("a message was not understood", { subject, error: problem });
          message.respond(encodeMessage(errorReply(problem)));
        }
      },
    });
    this.#end.push(() => subscription.unsubscribe());
  }

  /** Takes what fits and names the rest; the reply travels before any user code runs. */
  #accept(epoch: number, assignments: readonly Assignment[], later: (execute: () => void) => unknown): AssignmentReply {
    const { epoch: known } = this.#presence;
    if (epoch < known) return { epoch: known, refused: assignments.map((_, i) => i), why: "stale" };
    if (this.#isQuiet) return { epoch, refused: assignments.map((_, i) => i), why: "quiet" };
    const refused: number[] = [];
    let why: NonNullable<AssignmentReply["why"]> = "full";
    const accepted: Started[] = [];
    let batch: Batch | undefined;
    assignments.forEach((assignment, i) => {
      if (this.#held.has(assignment)) return; // a doubled message: already ours
      const task = this.#tasks.get(taskOf(assignment.key));
      const units = assignment.follows ? 0 : (task?.policies?.slots ?? 1);
      if (!assignment.follows) batch = undefined;
      const hasLostItsBatch = assignment.follows && batch === undefined && i > 0;
      if (task === undefined || hasLostItsBatch || !this.#hasRoom(units)) {
        if (task === undefined) why = "unknown task";
        refused.push(i);
      } else {
        if (task.policies?.batch !== undefined) batch ??= new Batch(task);
        accepted.push(this.#start(assignment, task, units, batch));
      }
    });
    if (accepted.length > 0) later(() => this.#execute(accepted));
    return refused.length === 0 ? { epoch, refused } : { epoch, refused, why };
  }

  /** Of slots, or of runs whose names together would not fit into a heartbeat any more. */
  #hasRoom(units: number): boolean {
    return this.#slots.hasRoom(units) && this.#held.bytes <= this.#parts.link.maxPayload / 2;
  }

  #start(assignment: Assignment, task: WorkerTask, units: number, batch: Batch | undefined): Started {
    const attempt = this.#hold(assignment, batch?.admit() ?? task, batch);
    return {
      attempt,
      run: units === 0 ? this.#slots.join(attempt.run) : this.#slots.hold(units, attempt, attempt.run),
    };
  }

  /** The engine hears of it with a heartbeat of its own. */
  #letGo({ assignment, task }: Attempt): Effect.Effect<void> {
    const units = assignment.follows ? 0 : (task.policies?.slots ?? 1);
    queueMicrotask(() => void this.#presence.beat());
    return this.#slots.letGo(units);
  }

  #hold(assignment: Assignment, task: WorkerTask, batch: Batch | undefined): Attempt {
    const attempt = new Attempt(this.#host, assignment, task, batch);
    this.#held.add(attempt);
    return attempt;
  }

  #voiceOf({ assignment, isOver }: Attempt): Voice {
    const { log, link, transcripts: store } = this.#parts;
    const { key } = assignment;
    const now = () => link.clock.now();
    const onTrouble = (reason: string) => {
      if (performance.now() - this.#unstoredAt < 10_000) return;
      this.#unstoredAt = performance.now();
      log.warn("what runs say is not stored", { run: key, reason });
    };
    return new Transcript({ assignment, store, now, isOver, onTrouble, console: consoleOf(log, key) });
  }

  #execute(started: readonly Started[]): void {
    for (const { attempt, run } of started) {
      this.#parts.meter?.started(attempt.taskName);
      if (attempt.task.policies?.rateLimits !== undefined) this.#presence.beatSoon(); // a rate counts from here
      this.#parts.log.info("run started", { run: attempt.assignment.key, attempt: attempt.assignment.attempt });
      const fiber = Effect.runFork(run);
      fiber.addObserver((exit) => {
        if (exit._tag === "Failure")
          this.#parts.log.error("an attempt ended abnormally", {
            run: attempt.assignment.key,
            cause: String(exit.cause),
          });
        if (attempt.isOver) this.#parts.meter?.left();
        this.#ended.add(attempt.assignment);
        this.#slotFreed();
      });
    }
  }

  #report(attempt: Attempt, verdict: Verdict): void {
    const { log, link, meter } = this.#parts;
    const { key, attempt: number } = attempt.assignment;
    const at = link.clock.nowAfter(attempt.startedAt);
    const outcome = outcomeOf(attempt, verdict, at, {
      worker: this.id,
      maxPayload: link.maxPayload,
      random: Math.random,
    });
    const waiter = isFinal(outcome.kind) ? attempt.assignment.waiter : "";
    const report = { attempt, frame: outcome.frame, waiter };
    if (attempt.spoken === undefined) this.#reporter.report(report);
    else this.#reportAfter(attempt.spoken.end(outcome.kind), report);
    meter?.ended(attempt.taskName, outcome.kind, at - attempt.startedAt);
    const fields = { run: key, attempt: number, ms: at - attempt.startedAt };
    if (outcome.kind === "completed") log.info("run completed", fields);
    else if (outcome.kind === "retry")
      log.warn("run failed, will be retried", {
        ...fields,
        inMs: Math.round(outcome.dueAt - at),
        error: outcome.error?.message,
      });
    else log.info(`run ${outcome.kind}`, { ...fields, error: outcome.error?.message });
  }

  /** Who learns that a run has ended finds everything that it said. */
  #reportAfter(told: Promise<void>, report: Report): void {
    this.#telling.add(told);
    void told.then(() => {
      this.#telling.delete(told);
      this.#reporter.report(report);
    });
  }

  /** Resolves when everything that ended attempts said, and their outcomes, are stored. */
  async #stored(): Promise<void> {
    while (this.#telling.size > 0) await Promise.all(this.#telling);
    await this.#reporter.idle();
  }

  #stopRuns(stops: readonly Stop[]): void {
    for (const { attempt, reason } of this.#held.named(stops)) attempt.stop({ kind: "cancelled", reason });
  }

  #describe(): Register {
    return {
      v: 1,
      id: this.id,
      name: this.name,
      slots: this.#slots.size,
      labels: this.#labels,
      startedAt: this.#startedAt,
      runtime: this.#options.runtime,
      version: this.#options.version,
      quiet: this.#isQuiet,
      executing: this.#held.list(),
      tasks: this.#definition.tasks.map((task) => ({
        name: task.name,
        timeoutMs: task.timeoutMs,
        scheduleTimeoutMs: task.scheduleTimeoutMs,
        priority: task.priority,
        retries: task.retry.limit,
        inputSchema: jsonSchemaOf(task.input),
        outputSchema: jsonSchemaOf(task.output),
        ...(task.policies !== undefined && { policies: task.policies }),
        ...(task.crons !== undefined && { crons: task.crons }),
        ...(task.onFailure !== undefined && { onFailure: task.onFailure }),
      })),
    };
  }

  #slotFreed(): void {
    if (this.busy > 0) return;
    const listeners = this.#onFree;
    this.#onFree = [];
    for (const listener of listeners) listener();
  }

  /** Until no user code runs and everything is stored, but not longer. */
  #untilFree(withinMs: number): Promise<void> {
    const free = this.busy === 0 ? this.#stored() : new Promise<void>((resolve) => this.#onFree.push(resolve));
    return atMost(withinMs, free);
  }
}
