// A request to JetStream that may be repeated: what passes by itself (no responders during an election, a timeout, an outage) is retried until
// the time is up.
import { errors, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import { PermissionDenied, StoreUnavailable } from "../domain/errors.ts";
import type { NatsLink } from "./link.ts";
import { request } from "./request.ts";

export interface Ask {
  /** What the caller wants, as an error puts it: `read from NATCHET_dev`. */
  readonly operation: string;
  /** The time for all tries together. Units: milliseconds. @default 10_000 */
  readonly withinMs?: number;
  readonly headers?: MsgHdrs;
  /** Errors that count as an answer. */
  readonly accept?: (error: ApiError) => boolean;
}

export interface ApiError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

const tryMs = 2_000;
const pauseMs = 100;

/** Fails: {@link StoreUnavailable} safe to retry, {@link PermissionDenied} */
export async function askStore(link: NatsLink, subject: string, payload: Uint8Array, ask: Ask): Promise<Msg> {
  const deadline = performance.now() + (ask.withinMs ?? 10_000);
  for (;;) {
    const leftMs = Math.max(1, deadline - performance.now());
    const answer = await tryOnce(link, subject, payload, ask, Math.min(leftMs, tryMs));
    if (answer.kind === "message") return answer.message;
    if (answer.kind === "refused" || performance.now() + pauseMs >= deadline) throw answer.error;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

type Answer =
  | { readonly kind: "message"; readonly message: Msg }
  | { readonly kind: "refused" | "transient"; readonly error: PermissionDenied | StoreUnavailable };

async function tryOnce(
  link: NatsLink,
  subject: string,
  payload: Uint8Array,
  ask: Ask,
  timeoutMs: number,
): Promise<Answer> {
  const unavailable = (reason: string) => new StoreUnavailable({ operation: ask.operation, reason });
  if (link.nc.isClosed()) return { kind: "refused", error: unavailable("the connection is closed") };
  // A request on a broken connection is never sent; it would only time out.
  if (!link.isConnected()) return { kind: "transient", error: unavailable("the connection is down") };
  try {
    const options = { timeout: timeoutMs, ...(ask.headers !== undefined && { headers: ask.headers }) };
    const message = await request(link, subject, payload, options);
    const error = apiErrorOf(message);
    if (error === undefined || ask.accept?.(error)) return { kind: "message", message };
    return { kind: error.code >= 500 ? "transient" : "refused", error: unavailable(error.description) };
  } catch (cause) {
    const denied = deniedSubject(cause);
    if (denied !== undefined) {
      return {
        kind: "refused",
        error: new PermissionDenied({ subject: denied, reason: `this user may not ${ask.operation}` }),
      };
    }
    return { kind: "transient", error: unavailable((cause as Error).message) };
  }
}

const openBrace = 0x7b;

/** A direct get answers with headers and any payload; everything else of the API answers with JSON. */
function apiErrorOf(message: Msg): ApiError | undefined {
  if (message.headers !== undefined || message.data[0] !== openBrace) return undefined;
  return (message.json() as { error?: ApiError }).error;
}

/** The subject that a failed request was not allowed to use; undefined if it failed for another reason. */
export function deniedSubject(cause: unknown): string | undefined {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error instanceof errors.PermissionViolationError) return error.subject;
  }
  return undefined;
}
