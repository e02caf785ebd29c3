// A worker from its registration to its last outcome: receives assignments, executes them in its slots, reports, and leaves in order.
import { Effect, type Scope } from "effect";
import { WorkerNotStarted } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { listed } from "../domain/names.ts";
import { randomToken } from "../domain/random-token.ts";
import { assertLabels, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import { keepServerTime } from "../nats/server-time.ts";
import { atMost } from "../runtime/at-most.ts";
import { type AssignmentReply, type Delivery, decodeAssignments } from "../wire/assignment.ts";
import {
  decodeCancelOnWorker,
  encodeMessage,
  errorReply,
  type Register,
  type Stop,
  type TaskDeclaration,
} from "../wire/messages.ts";
import { partLimit } from "../wire/parts.ts";
import { Attempt, type AttemptHost } from "./attempt.ts";
import { Deadlines } from "./deadline.ts";
import { declarationsOf } from "./description.ts";
import { EndedAttempts } from "./ended-attempts.ts";
import { HeldRuns } from "./held-runs.ts";
import { Intake, type Started } from "./intake.ts";
import { Lifeline } from "./lifeline.ts";
import { tasksAround } from "./middleware.ts";
import { Presence } from "./presence.ts";
import { Reporter } from "./reporter.ts";
import type { RunningWorker, WorkerOptions } from "./running-worker.ts";
import { Slots } from "./slots.ts";
import { consoleOf } from "./transcripts/line.ts";
import { Transcript } from "./transcripts/transcript.ts";
import type { Voice } from "./transcripts/voice.ts";
import { Verdicts } from "./verdicts.ts";
import type { WorkerParts } from "./worker-parts.ts";

export type { RunningWorker } from "./running-worker.ts";
export type { WorkerParts } from "./worker-parts.ts";

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
        }).pipe(Effect.tapError(() => Effect.promise(() => closeOwn(definition, log)))); // what it opened by then
      worker.open();
      return worker;
    }),
    (worker) => Effect.promise(() => worker.close()),
  );

/** A worker whose `onStop` fails is stopped all the same, and so are those beside it. */
async function closeOwn(definition: WorkerDefinition, log: Log): Promise<void> {
  try {
    await definition.onStop?.();
  } catch (error) {
    log.error(`onStop of worker ${definition.name} failed`, { error });
  }
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
  readonly #declared: readonly TaskDeclaration[];
  readonly #slots: Slots;
  readonly #held = new HeldRuns();
  readonly #host: AttemptHost;
  readonly #lifeline = new Lifeline();
  readonly #intake: Intake;
  readonly #verdicts: Verdicts;
  readonly #reporter: Reporter;
  readonly #ended: EndedAttempts;
  readonly #presence: Presence;
  #labels: Readonly<Record<string, string | number>>;
  #isQuiet = false;
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
      process: this.id,
      runtime: "unknown",
      version: "unknown",
      middleware: [],
      ...options,
    };
    const threaded = definition.tasks.map((task) => parts.threads?.taskOf(definition.name, task) ?? task);
    const tasks = tasksAround({ ...definition, tasks: threaded }, options.middleware);
    this.#tasks = new Map(tasks.map((task) => [task.name, task]));
    this.#declared = declarationsOf(definition.tasks, partLimit(parts.link.maxPayload), parts.log);
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
      mayBegin: () => this.#lifeline.isAlive(parts.heart?.beatenAt ?? Number.NEGATIVE_INFINITY),
      onVerdict: (ended, verdict) => {
        ended.batch?.left(ended.runId);
        this.#verdicts.give(ended, verdict);
      },
    };
    this.#intake = new Intake({
      tasks: this.#tasks,
      slots: this.#slots,
      held: this.#held,
      make: (assignment, task, batch) => new Attempt(this.#host, assignment, task, batch),
      execute: (started) => this.#execute(started),
    });
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
      onTrouble: (error) => log.warn("outcomes could not be stored yet; retrying", { worker: this.name, error }),
    });
    const onFenced = (attempt: Attempt) => {
      this.#held.forget(attempt);
      void this.#presence.beat();
    };
    const { meter } = parts;
    this.#verdicts = new Verdicts({
      ...{ worker: this.id, name: this.name, reporter: this.#reporter },
      ...{ link, log, meter, onFenced },
    });
    this.#presence = new Presence({
      id: this.id,
      lifeline: this.#lifeline,
      link,
      subjects,
      log,
      heartbeatMs: this.#options.heartbeatMs,
      tasks: this.#declared,
      describe: () => this.#describe(),
      busy: () => this.busy,
      lagMs: () => parts.heart?.takeLag(this.id) ?? 0,
      onUnanswered: () => {
        if (this.#lifeline.isCutOff(parts.heart?.beatenAt ?? Number.NEGATIVE_INFINITY)) this.#stopKeyed();
      },
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
      const delivery = decodeAssignments(data);
      if (this.#lifeline.knows(delivery.epoch)) return this.#accept(delivery, setImmediate);
      // Its answer to the registration may stand right before it.
      return new Promise((resolve) => setImmediate(() => resolve(this.#accept(delivery, setImmediate))));
    });
    if (neighbours !== undefined) {
      const accept = (delivery: Delivery) => this.#accept(delivery, queueMicrotask);
      const onDoubt = () => void this.#presence.beat();
      this.#end.push(neighbours.add(this.id, { accept, onDoubt, isConnected: () => link.isConnected() }));
    }
    this.#answer(subjects.worker(this.id, "cancel"), (data) => {
      this.#stopRuns(decodeCancelOnWorker(data).runs);
      return {};
    });
    this.#presence.start();
    const onTurning = () => void this.#presence.beat();
    heart?.add(this.id, { tasks: this.#declared, describe: () => this.#describe(), onTurning });
    this.#end.push(() => heart?.remove(this.id));
    void this.registered.then(() => log.info(this.#introduction, { id: this.id }));
  }

  /** `worker mail: 5 slots, tasks send-email, nightly (cron 0 3 * * *)` */
  get #introduction(): string {
    const tasks = [...this.#tasks.values()].map(({ name, crons = [] }) =>
      crons.length === 0 ? name : `${name} (cron ${crons.map(({ expression }) => expression).join(", ")})`,
    );
    const { size } = this.#slots;
    const [slots, kinds] = [size === 1 ? "slot" : "slots", tasks.length === 1 ? "task" : "tasks"];
    return `worker ${this.name}: ${size} ${slots}, ${kinds} ${listed(tasks)}`;
  }

  /** Quiet → drain, heartbeats going on → give back what is left → leave. */
  async close(): Promise<void> {
    const { log } = this.#parts;
    this.#isQuiet = true;
    log.info(`worker ${this.name} is draining`, { running: this.busy });
    await this.#presence.beat();
    await this.#untilFree(this.#options.shutdownTimeoutMs);
    for (const attempt of this.#held.all()) attempt.stop({ kind: "returned" });
    await this.#untilFree(this.#options.cancelGraceMs + 100);
    await atMost(5_000, this.#verdicts.stored());
    this.#reporter.close();
    await this.#presence.leave();
    this.#presence.close();
    for (const end of this.#end) end();
    await closeOwn(this.#definition, log);
    log.info(`worker ${this.name} stopped`);
  }

  /** Answers requests on a subject; a malformed one is answered with its error and changes nothing. */
  #answer(subject: string, reply: (data: Uint8Array) => unknown): void {
    const subscription = this.#parts.link.nc.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          const answer = reply(message.data);
          if (answer instanceof Promise) void answer.then((late) => message.respond(encodeMessage(late)));
          else message.respond(encodeMessage(answer));
        } catch (problem) {
          this.#parts.log.error("a message could not be read", { subject, error: problem });
          message.respond(encodeMessage(errorReply(problem)));
        }
      },
    });
    this.#end.push(() => subscription.unsubscribe());
  }

  #accept(delivery: Delivery, later: (execute: () => void) => unknown): AssignmentReply {
    const why = this.#refusal(delivery);
    return why === undefined ? this.#intake.accept(delivery, later) : this.#refuse(delivery, why);
  }

  #refuse({ assignments }: Delivery, why: AssignmentReply["why"]): AssignmentReply {
    if (why === "stale") void this.#presence.beat(); // until it is heard this worker is given nothing
    return { epoch: this.#presence.newest, refused: assignments.map((_, i) => i), ...(why !== undefined && { why }) };
  }

  /** Why nothing of a message is taken. */
  #refusal({ epoch, sentAt }: Delivery): AssignmentReply["why"] {
    if (epoch < this.#presence.newest) return "stale";
    // A message of this process, or of an engine that does not tell its clock yet, has no time.
    if (sentAt !== undefined && this.#lifeline.isLate(epoch, sentAt)) return "stale";
    return this.#isQuiet ? "quiet" : undefined;
  }

  /** The engine hears of it with a heartbeat of its own. */
  #letGo({ assignment, task }: Attempt): Effect.Effect<void> {
    const units = assignment.follows ? 0 : (task.policies?.slots ?? 1);
    void this.#presence.beat();
    return this.#slots.letGo(units);
  }

  #voiceOf({ assignment, isOver }: Attempt): Voice {
    const { log, link, transcripts: store } = this.#parts;
    const { key } = assignment;
    const now = () => link.clock.now();
    const onTrouble = (reason: string) => {
      if (performance.now() - this.#unstoredAt < 10_000) return;
      this.#unstoredAt = performance.now();
      log.warn("logs and chunks of a run are not stored", { worker: this.name, run: key, reason });
    };
    return new Transcript({ assignment, store, now, isOver, onTrouble, console: consoleOf(log, this.name, key) });
  }

  #execute(started: readonly Started[]): void {
    for (const { attempt, run } of started) {
      this.#parts.meter?.started(attempt.taskName);
      if (attempt.task.policies?.rateLimits !== undefined) this.#presence.beatSoon(); // a rate counts from here
      const { key, attempt: number } = attempt.assignment;
      this.#parts.log.info("run started", { worker: this.name, run: key, attempt: number });
      const fiber = Effect.runFork(run);
      fiber.addObserver((exit) => {
        if (exit._tag === "Failure")
          this.#parts.log.error("an attempt ended abnormally", { run: key, cause: String(exit.cause) });
        if (attempt.isOver) this.#parts.meter?.left();
        this.#ended.add(attempt.assignment);
        this.#slotFreed();
      });
    }
  }

  /** The leader keeps what these count for their limits until they must have stopped. */
  #stopKeyed(): void {
    for (const attempt of this.#held.all())
      if (attempt.task.policies?.concurrency !== undefined) attempt.stop({ kind: "returned" });
  }

  #stopRuns(stops: readonly Stop[]): void {
    for (const { attempt, stop } of this.#held.named(stops)) {
      const { reason } = stop;
      attempt.stop(stop.kind === "fence" ? { kind: "fenced", reason } : { kind: "cancelled", reason });
    }
  }

  #describe(): Omit<Register, "tasks"> {
    return {
      v: 1,
      id: this.id,
      name: this.name,
      slots: this.#slots.size,
      labels: this.#labels,
      startedAt: this.#startedAt,
      process: this.#options.process,
      runtime: this.#options.runtime,
      version: this.#options.version,
      quiet: this.#isQuiet,
      executing: this.#held.list(),
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
    const free = this.busy === 0 ? this.#verdicts.stored() : new Promise<void>((resolve) => this.#onFree.push(resolve));
    return atMost(withinMs, free);
  }
}
