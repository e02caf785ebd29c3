// The context of a durable method: its steps, waits, signals and children.
import type { TaskLog } from "./context.ts";
import type { DurationInput } from "./duration.ts";
import type { Sent } from "./schema.ts";
import type { Signal } from "./signal.ts";
import type { StepOptions, StepScope } from "./step.ts";
import type { Wire } from "./wire.ts";

type AnyMethod = (this: any, ...args: any[]) => unknown;

/** The input parameter of a method; none for a method that has no input. */
type ArgsOfMethod<M extends AnyMethod> =
  Parameters<M> extends []
    ? [input?: undefined]
    : Parameters<M> extends [infer P, ...unknown[]]
      ? [input: Sent<P>]
      : Parameters<M> extends [(infer P)?, ...unknown[]]
        ? [input?: Sent<P>]
        : [input?: unknown];

/** A task as a durable run calls it. */
export interface ChildTask<Args extends readonly unknown[], Output> {
  /** Name of the task. */
  readonly name: string;
  /**
   * Runs it as a child and waits for its output, without holding a slot; the child is cancelled when nobody waits for it any more.
   *
   * Fails: RunFailed with the child's error, RunCancelled
   */
  run(...args: Args): Promise<Output>;
  /** Starts it without waiting: it continues on its own. Resolves with its key once it is stored. */
  enqueue(...args: Args): Promise<{ readonly task: string; readonly id: string }>;
}

/** One child for each method that a task may be. */
export type ChildTasks<W> = {
  readonly [K in keyof W]: W[K] extends AnyMethod
    ? ChildTask<ArgsOfMethod<W[K]>, Wire<Awaited<ReturnType<W[K]>>>>
    : "not shaped like a task";
};

/** How many children of a `map` may be there at once, and what becomes of their errors. */
export interface MapOptions<E extends "throw" | "settle" = "throw" | "settle"> {
  /** @default all of them */
  readonly concurrency?: number | undefined;
  /** `throw`: the first failure ends the map, and the others are cancelled; `settle`: the outcome of each is returned. @default "throw" */
  readonly onError?: E | undefined;
}

/** How a child of `map(…, { onError: "settle" })` ended. */
export type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

/** What waiting for a signal returns: `true` if it has no data, to tell it from no signal. */
export type Came<In> = 0 extends 1 & In ? any : [In] extends [undefined] ? true : Wire<In>;

/** Which branch of a race ended first, and with what. */
export type Won<R extends Readonly<Record<string, Promise<unknown>>>> = {
  [K in keyof R]: { readonly won: K; readonly value: Awaited<R[K]> };
}[keyof R];

/**
 * What a durable method gets besides its input.
 *
 * A durable method begins again at its first line whenever its worker is lost, with the results that it already had. So it awaits only what
 * this context and its steps give, and combinations of them; everything else goes into a step.
 */
export interface DurableContext {
  /** Name of the task. */
  readonly task: string;
  /** Id of the run, unique within its task. */
  readonly runId: string;
  /** Counts the restarts, from 1. */
  readonly lap: number;
  /** Texts given by the caller of the run. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Writes to the worker's log and to the store; silent where the method only repeats what it did before. */
  readonly log: TaskLog;
  /** Executes a piece of code as a step: its result is stored once, and not computed again. */
  step<T>(name: string, run: (step: StepScope) => T, options?: StepOptions): Promise<Wire<Awaited<T>>>;
  /** Waits without a slot, whatever happens to this worker; at most 10 years. */
  sleep(time: DurationInput): Promise<void>;
  /** Waits until that time; returns at once if it has passed. */
  sleepUntil(time: Date | number): Promise<void>;
  /**
   * Waits for the next signal of this name that was sent to this run, and gives its data, or `true` if it has none. With a timeout it gives
   * `undefined` when there was none until then.
   */
  waitFor<In, Out>(signal: Signal<In, Out>): Promise<Came<In>>;
  waitFor<In, Out>(
    signal: Signal<In, Out>,
    options: { readonly timeout?: DurationInput },
  ): Promise<Came<In> | undefined>;
  /** The tasks of a worker class, to be run as children. */
  tasks<W extends object>(worker: abstract new (...args: any) => W): ChildTasks<W>;
  /** Runs a task once for each item, at most 10,000, and gives the outputs in the order of the items. */
  map<Item, Output>(
    task: ChildTask<[input: Item], Output> | ChildTask<[input?: Item], Output>,
    items: readonly Item[],
    options?: MapOptions<"throw">,
  ): Promise<Output[]>;
  map<Item, Output>(
    task: ChildTask<[input: Item], Output> | ChildTask<[input?: Item], Output>,
    items: readonly Item[],
    options: MapOptions<"settle">,
  ): Promise<Settled<Output>[]>;
  /** Says which of several waits ended first, and closes the others: a signal that was not taken is kept, a child is cancelled. */
  race<R extends Readonly<Record<string, Promise<unknown>>>>(ways: R): Promise<Won<R>>;
  /** The time of what happened last to this run; the same on each replay. Units: epoch milliseconds */
  now(): number;
  /** 0 ≤ number < 1; the same on each replay. */
  random(): number;
  /** `return ctx.restart(input)` begins the method anew, with an empty journal; signals that were not taken are kept. It has to be returned. */
  restart(input?: unknown): never;
}
