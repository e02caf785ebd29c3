// Runs the tasks of a worker in this process, without NATS and without waiting between attempts: the same validation, retries,
// timeouts, middleware and context as a worker, because it is the worker's own code.
import { scan, type WorkerSource } from "../../decorators/scan.ts";
import { RunCancelled, RunFailed } from "../domain/errors.ts";
import { assertKnownOptions } from "../domain/known-options.ts";
import { silentLog } from "../domain/log.ts";
import { assertMiddleware, type ExecuteMiddleware } from "../domain/middleware.ts";
import { keyOf } from "../domain/run.ts";
import { makeRunIdGenerator } from "../domain/run-id.ts";
import { checkWorker, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { plainEntry } from "../wire/run-entry.ts";
import { Deadlines } from "../worker/deadline.ts";
import { installSteps } from "../worker/durable/steps.ts";
import { tasksAround } from "../worker/middleware.ts";
import { declarationsOf } from "../worker/presence/declarations.ts";
import { type Clock, SkippingClock } from "./clock.ts";
import type { InlineRun } from "./inline-run.ts";
import { TestEngine } from "./test-engine.ts";

/** Options of one run of `inline`. */
export interface InlineOptions {
  /** The run's id. @default a generated one */
  readonly id?: string;
  /** The content of `ctx.metadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels the run when it is aborted. */
  readonly signal?: AbortSignal;
}

/** A worker whose tasks are called directly. */
export interface InlineWorker {
  /** The output, after a round trip through JSON. Fails: RunFailed, RunCancelled */
  run(task: string, input?: unknown, options?: InlineOptions): Promise<unknown>;
  /** The whole story of a run, however it ended, with its logs and chunks. */
  execute(task: string, input?: unknown, options?: InlineOptions): Promise<InlineRun>;
}

/** A worker class to construct. */
export type TestableClass = new () => object;

/** What can be passed as a worker. */
export type Testable = WorkerSource | WorkerDefinition;

/**
 * Makes a worker that runs its tasks inline, for tests. Delays and pauses between attempts are skipped; {@link testWorker} has a clock.
 *
 * Fails: TypeError for anything that is not a worker, or for a task that it does not have
 * @example
 * ```ts
 * assert.deepEqual(await inline(HelloWorker).run("hello", { name: "Ada" }), { greeting: "Hello, Ada!" })
 * ```
 */
export function inline(
  worker: Testable,
  options: { readonly middleware?: readonly ExecuteMiddleware[] } = {},
): InlineWorker {
  assertKnownOptions(options, { options: ["middleware"], of: "inline" });
  const tasks = new TestTasks(definitionOf(worker), assertMiddleware(options.middleware, "inline"));
  const nextId = makeRunIdGenerator();
  const execute = async (name: string, input?: unknown, options: InlineOptions = {}) => {
    const task = tasks.named(name);
    if (task.durable !== undefined)
      throw new TypeError(`task "${name}" is durable: it may wait for signals and children; use testWorker for it`);
    assertKnownOptions(options, { options: ["id", "metadata", "signal"], of: "an inline run" });
    const { id = nextId(), metadata, signal } = options;
    const clock = new SkippingClock();
    const engine = engineOf(task, clock);
    const key = keyOf(name, id);
    const extra = metadata && { metadata };
    engine.create(name, id, { ...plainEntry, createdAt: clock.now(), extra, input: jsonBytes(input) });
    const reason = () => String(signal?.reason ?? "cancelled by a caller");
    const cancel = () => engine.give({ type: "cancel", keys: [key], reason: reason() });
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    return engine.ended(key).finally(() => signal?.removeEventListener("abort", cancel));
  };
  const run = async (name: string, input?: unknown, options?: InlineOptions) =>
    outputOfRun(await execute(name, input, options));
  return { run, execute };
}

/** The worker of one run, which waits for nothing: limits and schedules do not apply. Timeouts take real time. */
function engineOf(task: WorkerTask, clock: Clock): TestEngine {
  const { policies: _policies, crons: _crons, onFailure: _onFailure, ...alone } = task;
  const engine = new TestEngine({
    ...{ clock, name: "inline", slots: 10_000, labels: {}, tasks: [task], crons: [] },
    declarations: declarationsOf([{ ...alone, scheduleTimeoutMs: null }], Number.POSITIVE_INFINITY, silentLog),
    deadlines: () => new Deadlines(),
    mayReact: async () => false,
  });
  engine.register();
  return engine;
}

export const definitionOf = (worker: Testable): WorkerDefinition =>
  "tasks" in worker && "slots" in worker ? checkWorker(worker as WorkerDefinition) : scan(worker);

/** The tasks of a worker by name, with everything that goes around them. */
export class TestTasks {
  readonly #worker: string;
  readonly #tasks: ReadonlyMap<string, WorkerTask>;
  /** All tasks. */
  readonly tasks: readonly WorkerTask[];

  constructor(definition: WorkerDefinition, middleware: readonly ExecuteMiddleware[]) {
    this.#worker = definition.name;
    if (definition.steps !== undefined) installSteps(definition.steps.instance, definition.steps.methods);
    this.tasks = tasksAround(definition, middleware);
    this.#tasks = new Map(this.tasks.map((task) => [task.name, task]));
  }

  /** Fails: TypeError that lists the tasks */
  named(name: string): WorkerTask {
    const task = this.#tasks.get(name);
    if (task !== undefined) return task;
    const names = [...this.#tasks.keys()].join(", ");
    throw new TypeError(`worker "${this.#worker}" has no task "${name}"; it has ${names}`);
  }
}

/** Fails: RunFailed, RunCancelled */
export function outputOfRun({ task, id, state, output, reason, error, attempts }: InlineRun): unknown {
  const key = keyOf(task, id);
  if (state === "completed") return output;
  if (state === "cancelled") throw new RunCancelled({ key, reason: reason ?? "cancelled" });
  throw new RunFailed({ key, error: error!, attempts });
}
