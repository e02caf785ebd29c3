// Workers without decorators: the same checks and defaults, as plain values.
import type { TaskContext } from "./context.ts";
import { assertKnownOptions, namesOf } from "./known-options.ts";
import type { FieldIn } from "./plain-fields.ts";
import type { AnySchema, InputOf, Payload } from "./schema.ts";
import { checkTask, type TaskOptions } from "./task.ts";
import { checkWorker, defaultSlots, type WorkerDefinition, type WorkerTask } from "./worker.ts";

/** The options of a task with the types of its schemas. */
export interface PlainTaskOptions<I extends AnySchema | undefined, O extends AnySchema | undefined>
  extends Omit<TaskOptions, "input" | "output" | "batch" | "thread" | "plain"> {
  /** Checks the input before the handler sees it. */
  readonly input?: I;
  /** Checks what the handler returns. */
  readonly output?: O;
  /** Fields of the input that stay readable where inputs are encrypted. */
  readonly plain?: readonly FieldIn<I>[];
}

/** An Effect that needs no services, known by its variance marker: whoever uses none does not need Effect's types. */
export interface EffectOf<A> {
  readonly "~effect/Effect": { readonly _A: (_: never) => A; readonly _R: (_: never) => never };
}

/** The code of a task: returns its output, a promise of it or an Effect. */
export type PlainHandler<I extends AnySchema | undefined, O extends AnySchema | undefined> = (
  input: I extends AnySchema ? Payload<I> : any,
  ctx: TaskContext,
) => O extends AnySchema ? InputOf<O> | PromiseLike<InputOf<O>> | EffectOf<InputOf<O>> : unknown;

/** What {@link defineWorker} takes. */
export interface PlainWorker {
  /** For display; several workers may share a name. */
  readonly name: string;
  /** Runs that may execute at the same time, 1…10,000. @default 100 */
  readonly slots?: number | undefined;
  /** For tasks with `affinity`: `{ region: "eu" }`. */
  readonly labels?: WorkerDefinition["labels"] | undefined;
  /** Its tasks. */
  readonly tasks: readonly WorkerTask[];
  /** Around every task of the worker, the first outermost. */
  readonly middleware?: WorkerDefinition["middleware"];
  /** Called before the first run; if it throws, the worker does not start. */
  readonly onStart?: (() => unknown) | undefined;
  /** Called after the last run, and when the start fails. */
  readonly onStop?: (() => unknown) | undefined;
}

const known = namesOf<PlainWorker>({
  name: true,
  slots: true,
  labels: true,
  tasks: true,
  middleware: true,
  onStart: true,
  onStop: true,
});

/**
 * Defines a task without a decorator.
 *
 * Fails: TypeError or RangeError with the value, the rule and an example
 * @example
 * ```ts
 * const sendEmail = defineTask("send-email", { input: Email, retries: 3 }, async (email) => mailer.send(email));
 * ```
 */
export function defineTask<I extends AnySchema | undefined = undefined, O extends AnySchema | undefined = undefined>(
  name: string,
  options: PlainTaskOptions<I, O>,
  handler: PlainHandler<I, O>,
): WorkerTask {
  const where = `defineTask ${JSON.stringify(name)}`;
  if (typeof handler !== "function")
    throw new TypeError(`${where}: the handler must be a function, for example async (input, ctx) => {}`);
  return { ...checkTask(name, options as TaskOptions, where), handler };
}

/**
 * Defines a worker without a class, for `start`.
 *
 * Fails: TypeError or RangeError with the value, the rule and an example
 * @example
 * ```ts
 * await start(defineWorker({ name: "email", slots: 5, tasks: [sendEmail] }));
 * ```
 */
export function defineWorker(worker: PlainWorker): WorkerDefinition {
  assertKnownOptions(worker, { options: known, of: "a worker", where: "defineWorker" });
  const { slots = defaultSlots, labels = {}, onStart, onStop, ...rest } = worker;
  return checkWorker({ ...rest, slots, labels, ...(onStart && { onStart }), ...(onStop && { onStop }) });
}
