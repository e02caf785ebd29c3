// What a stream answers to a publish. Acknowledgements are read by hand: to parse them as JSON would be the most expensive step of an append.
import type { Msg } from "@nats-io/transport-node";
import { QueueFull } from "../domain/errors.ts";
import type { ApiError } from "./ask-store.ts";
import { wrongLastSequence } from "./stream-api.ts";

const letterE = 0x65;
const letterQ = 0x71;
const quote = 0x22;
const colon = 0x3a;
const zero = 0x30;

/** The sequence in `{"stream":"…", "seq":17, …}`; 0 if it is not an acknowledgement. */
export function ackedSeq(data: Uint8Array): number {
  if (data.length < 12 || data[2] === letterE) return 0; // `{"error":…`
  for (let i = 12; i < data.length; i++) {
    if (data[i] === colon && data[i - 1] === quote && data[i - 2] === letterQ) return digitsAt(data, i + 1);
  }
  return 0;
}

function digitsAt(data: Uint8Array, from: number): number {
  let value = 0;
  for (let i = from; i < data.length; i++) {
    const digit = data[i]! - zero;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

/** Why a message was not stored, by what can be done about it. */
export type Refusal =
  | { readonly kind: "conflict"; readonly lastSeq: number | undefined }
  | { readonly kind: "transient"; readonly reason: string }
  | { readonly kind: "full"; readonly error: QueueFull }
  | { readonly kind: "too large" }
  | { readonly kind: "refused"; readonly reason: string };

const messageTooLarge = 10054;
const storeFailed = 10077;
/** The account or the server has run out of memory, storage, or what its limits allow. */
const resourcesExceeded = new Set([10002, 10023, 10028, 10047]);
/** How servers describe a limit of the stream; and before 2.15, a failed disk. Newer ones do not answer after a failed write. */
const hasNoRoom = /maximum (bytes|messages)|^write .*: |no space left|quota exceeded/;
/** A peer has an append of the same subject in flight (replicated streams only). */
const peerInFlight = 10164;

export function refusalOf(message: Msg, namespace: string): Refusal {
  const { code = 503, err_code = 0, description = "" } = errorOf(message);
  if (err_code === wrongLastSequence) {
    const last = /wrong last sequence: (\d+)/.exec(description)?.[1];
    return { kind: "conflict", lastSeq: last === undefined ? undefined : Number(last) };
  }
  if (err_code === messageTooLarge) return { kind: "too large" };
  if (resourcesExceeded.has(err_code) || (err_code === storeFailed && hasNoRoom.test(description)))
    return { kind: "full", error: new QueueFull({ namespace, reason: description }) };
  if (code >= 500 || err_code === storeFailed || err_code === peerInFlight)
    return { kind: "transient", reason: description };
  return { kind: "refused", reason: description };
}

function errorOf(message: Msg): Partial<ApiError> {
  if (message.data.length === 0) {
    // No responders: no leader yet, or the server is just back and loads its streams.
    return { code: message.headers?.code || 503, description: message.headers?.description || "no responders" };
  }
  try {
    return (message.json() as { error?: ApiError }).error ?? { description: "an answer without a sequence" };
  } catch {
    return { description: "an answer that is not JSON" };
  }
}
