// A worker with runs and a clock of its own, without NATS: delays, retries and timeouts happen when the test says so.
import { askedDueAt, assertWhen, type EnqueueOptions, entryOf, type When } from "../client/enqueue-options.ts";
import { nextTick } from "../domain/cron.ts";
import { WorkerNotStarted } from "../domain/errors.ts";
import { type FailurePayload, handlerRunId } from "../domain/failure.ts";
import { assertKnownOptions } from "../domain/known-options.ts";
import { assertMiddleware, type ExecuteMiddleware } from "../domain/middleware.ts";
import { type Cancellation, keyOf } from "../domain/run.ts";
import { makeRunIdGenerator } from "../domain/run-id.ts";
import type { WorkerDefinition } from "../domain/worker.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { Deadlines } from "../worker/deadline.ts";
import { type Clock, systemClock } from "./clock.ts";
import { InlineExecution, type InlineRun } from "./execution.ts";
import { definitionOf, outputOfRun, type Testable, TestTasks } from "./inline.ts";
import { repeat } from "./repeat.ts";

/** What `testWorker` takes. */
export interface TestWorkerOptions<C extends Clock = Clock> {
  /** What delays, retries and timeouts go by. @default the time of the machine */
  readonly clock?: C;
  /** Around every task, outside of the worker's own and the task's own. */
  readonly middleware?: readonly ExecuteMiddleware[];
}

/** A run of a test worker. */
export interface TestRun {
  /** Name of the task. */
  readonly task: string;
  /** Id of the run, unique within its task. */
  readonly id: string;
  /** False when the id existed already: this is the first run of that id. */
  readonly created: boolean;
  /** The output as JSON brings it back; waits as long as it takes. Fails: RunFailed, RunCancelled */
  result(): Promise<unknown>;
  /** What is known of it now, with what it said by now. */
  status(): Promise<InlineRun>;
  /** A finished run stays as it is. */
  cancel(reason?: string): Promise<Cancellation>;
  /** Fails: NotReschedulable when it runs or has finished */
  reschedule(when: When): Promise<void>;
}

/** A worker without NATS. Its slots do not limit anything, and a run that is due is executed at once. */
export interface TestWorker<C extends Clock = Clock> extends AsyncDisposable {
  /** The time that it goes by. */
  readonly clock: C;
  /** Fails: TypeError, RangeError for an unknown task and for impossible options; WorkerNotStarted when `onStart` fails */
  enqueue(task: string, input?: unknown, options?: EnqueueOptions): Promise<TestRun>;
  /** Waits for the output; with a manual clock, somebody must move it where the run waits. Fails: RunFailed, RunCancelled */
  run(task: string, input?: unknown, options?: EnqueueOptions): Promise<unknown>;
  /** All runs so far, the oldest first. */
  runs(): readonly InlineRun[];
  /** Cancels what has not ended, waits for it, and calls the worker's `onStop`. */
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
  assertKnownOptions(options, { options: ["clock", "middleware"], of: "testWorker" });
  return new LocalWorker(definitionOf(worker), options);
}

class LocalWorker implements TestWorker {
  readonly clock: Clock;
  readonly #definition: WorkerDefinition;
  readonly #tasks: TestTasks;
  readonly #deadlines: Deadlines;
  readonly #executions = new Map<string, InlineExecution>();
  readonly #nextId = makeRunIdGenerator();
  readonly #schedules: (() => void)[] = [];
  #starting: Promise<unknown> | undefined;

  constructor(definition: WorkerDefinition, { clock = systemClock, middleware }: TestWorkerOptions) {
    this.clock = clock;
    this.#definition = definition;
    this.#tasks = new TestTasks(definition, assertMiddleware(middleware, "testWorker"));
    this.#deadlines = new Deadlines({
      now: () => clock.now(),
      set: (act, ms) =>
        clock.at(clock.now() + ms, () => {
          act();
          return this.#stopped(); // a clock that is moved lets them end first
        }),
      clear: (callOff) => (callOff as (() => void) | undefined)?.(),
    });
    if (clock !== systemClock) this.#schedule();
  }

  async enqueue(name: string, input?: unknown, options?: EnqueueOptions): Promise<TestRun> {
    const { clock } = this;
    const task = this.#tasks.named(name);
    const entry = entryOf(options, "", jsonBytes(input), clock.now());
    await this.#start();
    const id = options?.id ?? this.#nextId();
    const known = this.#executions.get(keyOf(name, id));
    if (known !== undefined) return this.#handle(name, id, known, false);
    const execution = new InlineExecution({
      ...{ task, id, input: entry.input, clock, deadlines: this.#deadlines },
      priority: entry.priority || task.priority,
      metadata: entry.extra?.metadata,
    });
    this.#executions.set(execution.key, execution);
    if (task.onFailure !== undefined) void execution.ended.then((run) => this.#handleFailure(task.onFailure!, run));
    execution.waitUntil(entry.dueAt, "scheduled");
    return this.#handle(name, id, execution, true);
  }

  async run(task: string, input?: unknown, options?: EnqueueOptions): Promise<unknown> {
    return (await this.enqueue(task, input, options)).result();
  }

  runs(): readonly InlineRun[] {
    return Array.from(this.#executions.values(), (execution) => execution.info);
  }

  async stop(): Promise<void> {
    for (const end of this.#schedules.splice(0)) end();
    const executions = [...this.#executions.values()];
    for (const execution of executions) execution.cancel("the test worker was stopped");
    await Promise.all(executions.map((execution) => execution.ended));
    if (this.#starting !== undefined) await this.#definition.onStop?.();
    this.#starting = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** By a clock that the test moves; the machine's would make tests wait for real schedules. */
  #schedule(): void {
    for (const task of this.#definition.tasks) {
      for (const rule of task.crons ?? []) {
        const fire = (at: number) => {
          const tick = new Date(at).toISOString();
          const metadata = { "natchet.cron": rule.name, "natchet.tick": tick };
          return this.enqueue(task.name, rule.input, { id: `${rule.name}:${tick}`, metadata });
        };
        this.#schedules.push(repeat(this.clock, (after) => nextTick(rule, after), fire));
      }
    }
  }

  async #handleFailure(handler: string, run: InlineRun): Promise<void> {
    if (run.state !== "failed" || this.#starting === undefined) return;
    const { task, id, metadata, attempts, error = { name: "Error", message: "unknown" } } = run;
    const payload: FailurePayload = { input: run.input, failed: { task, id, metadata, error, attempts } };
    await this.enqueue(handler, payload, {
      id: handlerRunId(task, id),
      metadata: { ...metadata, "natchet.failed": keyOf(task, id) },
    });
  }

  async #stopped(): Promise<void> {
    await Promise.all(Array.from(this.#executions.values(), ({ stopping }) => stopping));
  }

  /** Once, before the first run. */
  async #start(): Promise<void> {
    try {
      this.#starting ??= Promise.resolve(this.#definition.onStart?.());
      await this.#starting;
    } catch (cause) {
      throw new WorkerNotStarted({ worker: this.#definition.name, cause });
    }
  }

  #handle(task: string, id: string, execution: InlineExecution, created: boolean): TestRun {
    return {
      task,
      id,
      created,
      result: async () => outputOfRun(await execution.ended),
      status: async () => execution.info,
      cancel: async (reason = "cancelled by a caller") => execution.cancel(reason),
      reschedule: async (when) => {
        assertWhen(when);
        execution.reschedule(askedDueAt(when, this.clock.now()));
      },
    };
  }
}
