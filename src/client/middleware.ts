// Middleware of a client: user code around the storing of every run.
import { assertMiddleware } from "../domain/middleware.ts";
import { assertRunId } from "../domain/run-id.ts";
import type { EnqueueOptions } from "./enqueue-options.ts";

/** A run on its way into the store. */
export interface Enqueueing {
  /** Name of the task. */
  readonly task: string;
  /** The caller's input, checked by the task's schema if the client knows it; changes made by middleware are not checked. */
  readonly input: unknown;
  /** What the caller said about the run. */
  readonly options: EnqueueOptions;
}

/** A run that is stored. */
export interface Enqueued {
  /** The id of the run. */
  readonly id: string;
  /** False when the id existed already. */
  readonly created: boolean;
}

/**
 * Code around the storing of every run of a client: `enqueue` and `run`, and once for each run of `enqueueMany` and `runMany`.
 *
 * `next()` continues with the next middleware and finally the store. What a middleware throws is the error of the call. Without `next()` nothing is
 * stored: return the id of the run that the caller should get instead.
 *
 * @example
 * ```ts
 * const traced: EnqueueMiddleware = ({ options }, next) =>
 *   next({ options: { ...options, metadata: { ...options.metadata, trace: traceId() } } });
 * ```
 */
export type EnqueueMiddleware = (
  call: Enqueueing,
  next: (change?: Partial<Omit<Enqueueing, "task">>) => Promise<Enqueued>,
) => Enqueued | Promise<Enqueued>;

export type AroundEnqueue = (call: Enqueueing, store: (call: Enqueueing) => Promise<Enqueued>) => Promise<Enqueued>;

/** All middleware as one, the first outermost; undefined if there is none. Fails: TypeError for anything that is not a function */
export function aroundEnqueue(given: readonly EnqueueMiddleware[] | undefined): AroundEnqueue | undefined {
  const chain = assertMiddleware(given, "connect");
  if (chain.length === 0) return undefined;
  const pass = async (layer: number, call: Enqueueing, store: Parameters<AroundEnqueue>[1]): Promise<Enqueued> => {
    const middleware = chain[layer];
    if (middleware === undefined) return store(call);
    return checked(await middleware(call, (change) => pass(layer + 1, { ...call, ...change }, store)), call.task);
  };
  return (call, store) => pass(0, call, store);
}

function checked(enqueued: Enqueued | undefined, task: string): Enqueued {
  const where = `a middleware around enqueue of task "${task}"`;
  if (typeof enqueued?.id !== "string" || typeof enqueued.created !== "boolean")
    throw new TypeError(
      `${where} returned ${String(enqueued)}; return what next() gave, or name another run, for example { id: "order-42", created: false }`,
    );
  assertRunId(enqueued.id, where);
  return enqueued;
}
