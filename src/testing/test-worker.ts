// A worker with its own runs and clock, without NATS: delays, retries and timeouts happen when the test says so.

import { pauseTarget } from "../client/asking/pause-target.ts";
import { askedDueAt, assertWhen, type EnqueueOptions, entryOf, type When } from "../client/enqueue-options.ts";
import { assertEncryption, type EncryptionOptions } from "../domain/encryption.ts";
import { InvalidData, NotReschedulable, RunFinished, WorkerNotStarted } from "../domain/errors.ts";
import { assertKnownOptions } from "../domain/known-options.ts";
import { silentLog } from "../domain/log.ts";
import { assertMiddleware, type ExecuteMiddleware } from "../domain/middleware.ts";
import { changePauses, noPauses, type Pauses, type PauseTarget } from "../domain/pauses.ts";
import type { Reaction } from "../domain/reaction.ts";
import { type Cancellation, keyOf } from "../domain/run.ts";
import { makeRunIdGenerator } from "../domain/run-id.ts";
import { validate } from "../domain/schema.ts";
import type { SentWith, Signal } from "../domain/signal.ts";
import type { WorkerDefinition } from "../domain/worker.ts";
import { assertSealable } from "../facade/sealable.ts";
import { placeOf } from "../matching/attached.ts";
import { cancellationOf } from "../requests/describe.ts";
import { sealInput, sealSignal } from "../sealing/sealed.ts";
import { Vault } from "../sealing/vault.ts";
import { jsonBytes, jsonOf } from "../wire/bytes.ts";
import { Deadlines } from "../worker/deadline.ts";
import { declarationsOf } from "../worker/presence/declarations.ts";
import { type Clock, systemClock } from "./clock.ts";
import { definitionOf, outputOfRun, type Testable, TestTasks } from "./inline.ts";
import type { InlineRun } from "./inline-run.ts";
import type { MemoryJournal } from "./memory-journal.ts";
import { cronsOf, TestEngine } from "./test-engine.ts";

/** What `testWorker` takes. */
export interface TestWorkerOptions<C extends Clock = Clock> {
  /** The clock for delays, retries and timeouts. @default the machine's time */
  readonly clock?: C;
  /** Wraps every task, outside the worker's and the task's own middleware. */
  readonly middleware?: readonly ExecuteMiddleware[];
  /** As of `start`: keys of limits find what is declared plain, and journals hold ciphertext. A function must return its keys at once. @default off */
  readonly encryption?: EncryptionOptions | undefined;
}

/** A run of a test worker. */
export interface TestRun {
  /** Name of the task. */
  readonly task: string;
  /** Id of the run, unique within its task. */
  readonly id: string;
  /** False when the id existed already: this is the first run of that id. */
  readonly created: boolean;
  /** The output, after a round trip through JSON; waits as long as it takes. Fails: RunFailed, RunCancelled */
  result(): Promise<unknown>;
  /** What is known about it now, with its output so far. */
  status(): Promise<InlineRun>;
  /** Sends a signal to a durable run. Fails: RunFinished, InvalidData */
  send<In>(signal: Signal<In, unknown>, ...data: SentWith<In, never>): Promise<void>;
  /** A finished run stays as it is. */
  cancel(reason?: string): Promise<Cancellation>;
  /** Fails: NotReschedulable when it runs or has finished */
  reschedule(when: When): Promise<void>;
}

/** A worker without NATS, and the engine that gives it runs: slots, limits, priorities, batches and schedules are those of production. */
export interface TestWorker<C extends Clock = Clock> extends AsyncDisposable {
  /** The time that it goes by. */
  readonly clock: C;
  /** Fails: TypeError, RangeError for an unknown task and for impossible options; WorkerNotStarted when `onStart` fails */
  enqueue(task: string, input?: unknown, options?: EnqueueOptions): Promise<TestRun>;
  /** Waits for the output; a manual clock must be moved if the run waits. Fails: RunFailed, RunCancelled */
  run(task: string, input?: unknown, options?: EnqueueOptions): Promise<unknown>;
  /** Runs wait until it is resumed: those of a task, or, with no target, all. Running ones continue. Fails: TypeError */
  pause(target?: PauseTarget): Promise<void>;
  /** Ends a pause; what was not paused stays as it is. Fails: TypeError */
  resume(target?: PauseTarget): Promise<void>;
  /** All runs so far, the oldest first. */
  runs(): readonly InlineRun[];
  /** Cancels unfinished runs, waits for them, and calls the worker's `onStop`. */
  stop(): Promise<void>;
}

/**
 * Makes a worker that is tested without NATS and without waiting: with {@link manualClock} time moves when the test says so.
 *
 * Fails: TypeError for anything that is not a worker
 * @example
 * ```ts
 * const t = testWorker(EmailWorker, { clock: manualClock() });
 * const run = await t.enqueue("send", { to: "a@b.c" }, { delay: "1h" });
 * await t.clock.advance("1h");
 * assert.deepEqual(await run.result(), { delivered: true });
 * ```
 */
export function testWorker<C extends Clock>(
  worker: Testable,
  options: TestWorkerOptions<C> & { readonly clock: C },
): TestWorker<C>;
export function testWorker(worker: Testable, options?: TestWorkerOptions): TestWorker;
export function testWorker(worker: Testable, options: TestWorkerOptions = {}): TestWorker {
  assertKnownOptions(options, { options: ["clock", "middleware", "encryption"], of: "testWorker" });
  return new LocalWorker(worker, options);
}

/** Internals for tests of durable runs. */
interface DurableProbe {
  readonly journal?: MemoryJournal | undefined;
  readonly onLeftBehind?: ((key: string, ops: readonly string[]) => void) | undefined;
}

export class LocalWorker implements TestWorker {
  readonly clock: Clock;
  readonly #definition: WorkerDefinition;
  readonly #tasks: TestTasks;
  readonly #engine: TestEngine;
  readonly #crons: readonly string[];
  readonly #vault: Vault | undefined;
  readonly #nextId = makeRunIdGenerator();
  #pauses: Pauses = noPauses;
  #starting: Promise<unknown> | undefined;
  #isStopped = false;

  constructor(worker: Testable, options: TestWorkerOptions, probe: DurableProbe = {}) {
    const { clock = systemClock, middleware } = options;
    const definition = definitionOf(worker);
    const { name, slots, labels } = definition;
    this.clock = clock;
    this.#definition = definition;
    const encryption = assertEncryption(options.encryption);
    assertSealable([definition], encryption);
    const vault = encryption && Vault.now(encryption, "testing");
    for (const task of definition.tasks) vault?.declare(task.name, task.plain);
    this.#vault = vault;
    this.#tasks = new TestTasks(definition, assertMiddleware(middleware, "testWorker"));
    const { tasks } = this.#tasks;
    // Schedules fire only with a clock that the test moves: by the machine's clock, a test would wait for them in real time.
    const crons = clock === systemClock ? [] : cronsOf(name, tasks, clock.now());
    this.#crons = crons.map(({ record }) => record.name);
    this.#engine = new TestEngine({
      ...{ clock, name, slots, labels, tasks, crons, vault, ...probe },
      declarations: declarationsOf(tasks, Number.POSITIVE_INFINITY, silentLog),
      deadlines: (stopped) => deadlinesBy(clock, stopped),
      mayReact: (reaction) => this.#mayReact(reaction),
    });
  }

  async enqueue(name: string, input?: unknown, options?: EnqueueOptions): Promise<TestRun> {
    this.#tasks.named(name);
    const json = jsonBytes(input);
    const stored = this.#vault === undefined ? json : sealInput(this.#vault, name, { value: input, json });
    const entry = entryOf(options, "", stored, this.clock.now());
    await this.#start();
    const id = options?.id ?? this.#nextId();
    return this.#handle(name, id, this.#engine.create(name, id, entry));
  }

  async run(task: string, input?: unknown, options?: EnqueueOptions): Promise<unknown> {
    return (await this.enqueue(task, input, options)).result();
  }

  runs(): readonly InlineRun[] {
    return Array.from(this.#engine.keys, (key) => this.#engine.storyOf(key));
  }

  async pause(target: PauseTarget = {}): Promise<void> {
    this.#change(pauseTarget(target, "pause"), true);
  }
  async resume(target: PauseTarget = {}): Promise<void> {
    this.#change(pauseTarget(target, "resume"), false);
  }
  #change(target: PauseTarget, isPaused: boolean): void {
    if (target.task !== undefined) this.#tasks.named(target.task);
    this.#pauses = changePauses(this.#pauses, target, isPaused, this.clock.now());
    this.#engine.give({ type: "pauses", pauses: this.#pauses });
  }

  /** Does as if its process had died and another one had come. */
  crash(): void {
    this.#engine.crash();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const name of this.#crons) this.#engine.give({ type: "cronChanged", name, there: undefined });
    const live = [...this.#engine.keys].filter((key) => this.#engine.scheduler.live.has(key));
    for (const key of live) this.#cancel(key, "the test worker was stopped");
    await Promise.all(live.map((key) => this.#engine.ended(key)));
    this.#engine.rest();
    if (this.#starting !== undefined) await this.#definition.onStop?.();
    this.#starting = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #mayReact({ cause }: Reaction): Promise<boolean> {
    if (cause.type === "failure") return this.#starting !== undefined;
    if (this.#isStopped) return false;
    await this.#start();
    return true;
  }

  /** Starts the worker once, before its first run. */
  async #start(): Promise<void> {
    this.#starting ??= this.#open();
    await this.#starting;
  }
  async #open(): Promise<void> {
    try {
      await this.#definition.onStart?.();
    } catch (cause) {
      throw new WorkerNotStarted({ worker: this.#definition.name, cause });
    }
    this.#engine.register();
  }

  #cancel(key: string, reason: string): Cancellation {
    if (!this.#engine.scheduler.live.has(key)) return "finished";
    this.#engine.give({ type: "cancel", keys: [key], reason });
    return cancellationOf(this.#engine.scheduler, key) ?? "stopping";
  }

  #reschedule(key: string, dueAt: number): void {
    const run = this.#engine.scheduler.live.get(key);
    if (run === undefined) throw new NotReschedulable({ key, state: "finished" });
    if (["running", "waiting"].includes(placeOf(run))) throw new NotReschedulable({ key, state: "running" });
    this.#engine.give({ type: "reschedule", keys: [key], dueAt });
  }

  #handle(task: string, id: string, created: boolean): TestRun {
    const key = keyOf(task, id);
    return {
      task,
      id,
      created,
      result: async () => outputOfRun(await this.#engine.ended(key)),
      status: async () => this.#engine.storyOf(key),
      send: async (signal, ...[data]) => {
        const checked = await validate(signal.data, data);
        if ("issues" in checked)
          throw new InvalidData({ what: "input", task: `${task}, signal ${signal.name}`, issues: checked.issues });
        if (!this.#engine.scheduler.live.has(key)) throw new RunFinished({ key });
        const sent = this.#vault === undefined ? data : sealSignal(this.#vault, key, signal.name, data);
        this.#engine.signal(task, id, signal.name, jsonOf(jsonBytes(sent)));
      },
      cancel: async (reason = "cancelled by a caller") => this.#cancel(key, reason),
      reschedule: async (when) => {
        assertWhen(when);
        this.#reschedule(key, askedDueAt(when, this.clock.now()));
      },
    };
  }
}

/** Deadlines by the clock of the test. A manual clock lets stopped attempts end before it moves on. */
const deadlinesBy = (clock: Clock, stopped: () => Promise<unknown>): Deadlines =>
  new Deadlines({
    now: () => clock.now(),
    set: (act, ms) =>
      clock.at(clock.now() + ms, () => {
        act();
        return stopped();
      }),
    clear: (callOff) => (callOff as (() => void) | undefined)?.(),
  });
