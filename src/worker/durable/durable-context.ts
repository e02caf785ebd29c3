// The context of a durable method, as it executes here: each call that waits opens an op of the method's frame.
import type { TaskContext, TaskLog } from "../../domain/context.ts";
import type { ChildTask, DurableContext, MapOptions, Settled, Won } from "../../domain/durable-context.ts";
import { type DurationInput, parseDuration } from "../../domain/duration.ts";
import { RunCancelled, RunFailed } from "../../domain/errors.ts";
import { assertKnownOptions } from "../../domain/known-options.ts";
import type { Signal } from "../../domain/signal.ts";
import { defineStep, type StepOptions, type StepScope } from "../../domain/step.ts";
import { hashOfText } from "../../domain/text-hash.ts";
import { assertTime } from "../../domain/time.ts";
import { mostChildren } from "../../wire/parked.ts";
import { judge } from "../verdict.ts";
import type { ChildResult } from "./children.ts";
import type { Frame } from "./frame.ts";
import { closable, closeAll, hashOf, isClosed, type OpDetail } from "./op.ts";
import { racedAgain } from "./problem.ts";
import { Restart } from "./restart.ts";
import { openStep } from "./steps.ts";
import { surroundingOp } from "./windows.ts";

/** What the context needs besides its frame. */
export interface ContextParts {
  /** The run as its current turn sees it. */
  readonly run: Pick<TaskContext, "task" | "runId" | "metadata" | "log">;
  /** The task name of a worker class's method. Fails: TypeError that lists the tasks */
  readonly taskOf: (worker: Function, method: string) => string;
  /** Stores a run that nobody waits for, once for each id. */
  readonly enqueue: (task: string, id: string, input: string) => Promise<void>;
}

const usualStep = defineStep();

export class RunningDurable implements DurableContext {
  readonly #frame: Frame;
  readonly #parts: ContextParts;

  constructor(frame: Frame, parts: ContextParts) {
    this.#frame = frame;
    this.#parts = parts;
  }

  get task(): string {
    return this.#parts.run.task;
  }
  get runId(): string {
    return this.#parts.run.runId;
  }
  get lap(): number {
    return this.#frame.lap;
  }
  get metadata(): Readonly<Record<string, string>> {
    return this.#parts.run.metadata;
  }
  get log(): TaskLog {
    return this.#frame.isReplaying ? silence : this.#parts.run.log;
  }

  step<T>(name: string, run: (step: StepScope) => T, options?: StepOptions): Promise<any> {
    const where = () => `step ${JSON.stringify(name)}`;
    if (surroundingOp()?.step !== undefined)
      throw misuse(`${where()} was called inside a step, and steps do not nest; call the code itself`);
    if (typeof name !== "string" || name === "" || typeof run !== "function")
      throw new TypeError('ctx.step takes a name and a function, for example ctx.step("charge", () => charge(order))');
    return openStep(this.#frame, name, 0, run, options === undefined ? usualStep : defineStep(options, where()));
  }

  sleep(time: DurationInput): Promise<void> {
    const ms = parseDuration(time, "ctx.sleep");
    return this.#open("sleep", "", hashOf(ms), { deadline: this.#frame.time + ms });
  }

  sleepUntil(time: Date | number): Promise<void> {
    const deadline = assertTime(time instanceof Date ? time.getTime() : time, time, "ctx.sleepUntil");
    return this.#open("sleep", "", hashOf(deadline), { deadline });
  }

  waitFor(signal: Signal<any, any>, options: { readonly timeout?: DurationInput } = {}): Promise<any> {
    assertKnownOptions(options, { options: ["timeout"], of: "ctx.waitFor" });
    if (signal?.kind !== "signal")
      throw new TypeError('ctx.waitFor takes a signal, for example signal("approve", { data: Decision })');
    const { timeout } = options;
    const given = this.#open("signal", signal.name, 0, signal.data === undefined ? { read: dataOrTrue } : {});
    return timeout === undefined ? given : this.#orLate(given, this.sleep(timeout));
  }

  tasks(worker: Function): any {
    const { taskOf } = this.#parts;
    const get = (_: object, key: string | symbol) =>
      typeof key === "symbol" || key === "then" ? undefined : this.#child(taskOf(worker, key));
    return new Proxy({}, { get });
  }

  map(task: ChildTask<any, any>, items: readonly unknown[], options: MapOptions = {}): Promise<any> {
    assertKnownOptions(options, { options: ["concurrency", "onError"], of: "ctx.map" });
    const { concurrency = items.length, onError = "throw" } = options;
    if (items.length > mostChildren)
      throw new RangeError(`ctx.map takes at most ${mostChildren} items, not ${items.length}; map them in parts`);
    if (items.length > 0 && !(Number.isInteger(concurrency) && concurrency > 0))
      throw new RangeError(`ctx.map: concurrency must be a whole number from 1, not ${String(concurrency)}`);
    if (items.length === 0) return Promise.resolve([]);
    const read = onError === "throw" ? outputsOf : settledOf;
    const atOnce = concurrency < items.length && { atOnce: concurrency };
    return this.#children(task.name, items, { read, failFast: onError === "throw", ...atOnce });
  }

  race<R extends Readonly<Record<string, Promise<unknown>>>>(ways: R): Promise<Won<R>> {
    const given = Object.entries(ways);
    const closed = given.find(([, way]) => isClosed(way));
    if (closed !== undefined) return this.#frame.blockFor(racedAgain(closed[0]));
    const first = Promise.race(given.map(async ([won, way]) => ({ won, value: await way })));
    const closeWays = () => closeAll(Object.values(ways));
    return closable(first.finally(closeWays) as Promise<Won<R>>, closeWays);
  }

  now(): number {
    return this.#frame.time;
  }

  random(): number {
    return this.#frame.random();
  }

  restart(input?: unknown): never {
    this.#frame.restart = new Restart(jsonOf(input, "ctx.restart"));
    return this.#frame.restart as never;
  }

  #open(kind: "sleep" | "signal" | "children", name: string, hash: number, detail: OpDetail): Promise<any> {
    if (surroundingOp()?.step !== undefined)
      throw misuse("a step cannot wait durably; wait in the durable method, and pass the step what came");
    return this.#frame.open(kind, name, hash, detail);
  }

  #child(task: string): ChildTask<[unknown?], unknown> {
    return {
      name: task,
      run: (input) => this.#children(task, [input], { read: onlyOutputOf }),
      enqueue: (input) => this.#enqueue(task, jsonOf(input, task)),
    };
  }

  #children(task: string, items: readonly unknown[], detail: OpDetail): Promise<any> {
    const inputs = items.map((item) => jsonOf(item, task));
    return this.#open("children", task, hashOf(inputs), { ...detail, inputs });
  }

  /** Enqueues in a step. Its id becomes the id of the run, so a repeated step finds the run that it has stored. */
  #enqueue(task: string, input: string): Promise<any> {
    const start = async ({ id }: StepScope) => {
      await this.#parts.enqueue(task, id, input);
      return { task, id };
    };
    return openStep(this.#frame, `enqueue ${task}`, hashOfText(input), start, usualStep);
  }

  #orLate(given: Promise<unknown>, late: Promise<void>): Promise<unknown> {
    const closeBoth = () => closeAll([given, late]);
    return closable(Promise.race([given, late]).finally(closeBoth), closeBoth);
  }
}

/** An error that is not retried: a step that makes such a call would only make it again. */
const misuse = (message: string): TypeError => judge(new TypeError(message), true);

function jsonOf(input: unknown, task: string): string {
  try {
    return JSON.stringify(input) ?? "";
  } catch (cause) {
    throw new TypeError(`the input of ${task} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

const resultsIn = (value: string) => JSON.parse(value) as readonly (ChildResult | null)[];

function errorOf(result: ChildResult & { readonly ok: false }): Error {
  const { key } = result;
  if ("reason" in result) return new RunCancelled({ key, reason: result.reason });
  const { error, attempts } = result;
  return new RunFailed({ key, error, attempts });
}

function outputsOf(value: string): unknown[] {
  const results = resultsIn(value);
  const failed = results.find((result) => result?.ok === false);
  if (failed?.ok === false) throw errorOf(failed);
  return results.map((result) => (result?.ok === true ? result.value : undefined));
}
const onlyOutputOf = (value: string): unknown => outputsOf(value)[0];

/** A signal without data gives `true`, which cannot be taken for a missing signal. */
const dataOrTrue = (value: string): unknown => (value === "" ? true : JSON.parse(value));

const settledOf = (value: string): Settled<unknown>[] =>
  resultsIn(value).map((result) =>
    result?.ok === true ? { ok: true, value: result.value } : { ok: false, error: errorOf(result as never) },
  );
const silence: TaskLog = { debug() {}, info() {}, warn() {}, error() {} };
