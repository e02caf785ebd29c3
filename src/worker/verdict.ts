// Verdicts: how an attempt has ended, by its own code or by what stopped it.
import type { Parked } from "../domain/durable.ts";
import { formatDuration, parseDuration } from "../domain/duration.ts";
import { InvalidData } from "../domain/errors.ts";
import { readProperty, toText } from "../domain/thrown.ts";
import type { WorkerTask } from "../domain/worker.ts";

/** Why an attempt was stopped from outside. */
export type StopCause =
  /** `seq`, `at`: where and when the log says so, for a durable run. */
  | { readonly kind: "cancelled"; readonly reason: string; readonly seq?: number; readonly at?: number }
  | { readonly kind: "timeout" }
  | { readonly kind: "returned" }
  /** The attempt no longer counts: another one does, or the run has ended. */
  | { readonly kind: "fenced"; readonly reason: string };

/** What an error says about its attempt. */
type Failure =
  | { readonly kind: "failed"; readonly error: unknown; readonly isFinal: boolean }
  | { readonly kind: "later"; readonly ms: number };

/** How an attempt ended: user code's own end, or the stop that came first. */
export type Verdict =
  | Failure
  | { readonly kind: "completed"; readonly output: unknown }
  | { readonly kind: "cancelled"; readonly reason: string }
  | { readonly kind: "parked"; readonly parked: Parked }
  | { readonly kind: "returned" }
  | { readonly kind: "fenced" };

/** The reason of a stopped attempt's signal; `allowedMs`: its timeout, extensions included. */
export function stopErrorOf(cause: StopCause, { name, timeoutMs }: WorkerTask, allowedMs: number): Error {
  if (cause.kind === "timeout") {
    const extended = allowedMs > timeoutMs ? ", extensions included" : "";
    const allowed = formatDuration(allowedMs);
    return named("TimeoutError", `task "${name}" took longer than its timeout of ${allowed}${extended}`);
  }
  if (cause.kind === "cancelled") return named("AbortError", `the run was cancelled: ${cause.reason}`);
  if (cause.kind === "fenced") return named("AbortError", `this attempt no longer counts: ${cause.reason}`);
  return named("AbortError", "the worker is shutting down and gives the run back");
}

/** Errors for which no retry policy is asked: where they are made, it is known whether another attempt could change anything. */
const judged = new WeakMap<object, boolean>();

export function judge<E extends Error>(error: E, isFinal: boolean): E {
  judged.set(error, isFinal);
  return error;
}

/** Whether a schema has refused the input or output. That counts, however the attempt was stopped meanwhile. */
export const isRefusal = (error: unknown): boolean =>
  judged.get(error as object) === true && error instanceof InvalidData;

/**
 * What an error means by the policy of its task. A `retryIf` that throws is a bug in the task, which a retry would only hide. Errors are recognized
 * by name, since they may come from a thread, or from another copy of natchet.
 */
export function failureOf(error: unknown, task: Pick<WorkerTask, "name" | "retry">): Failure {
  const name = readProperty(error, "name");
  if (name === "RetryLater") return laterOf(error);
  const isFinal = judged.get(error as object);
  if (isFinal !== undefined) return { kind: "failed", error, isFinal };
  if (name === "NonRetryableError" || name === "MalformedRecord") return { kind: "failed", error, isFinal: true };
  try {
    const { retryIf } = task.retry;
    return { kind: "failed", error, isFinal: retryIf !== undefined && !retryIf(error) };
  } catch (problem) {
    const message = `retryIf of task "${task.name}" threw ${toText(problem)} when asked about: ${toText(error)}`;
    return { kind: "failed", error: named("TypeError", message), isFinal: true };
  }
}

/** A `RetryLater` that was made by hand, with an invalid duration, is an error like any other. */
function laterOf(error: unknown): Failure {
  try {
    return { kind: "later", ms: parseDuration(readProperty(error, "ms") as number, "RetryLater") };
  } catch (problem) {
    return { kind: "failed", error: problem, isFinal: false };
  }
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
