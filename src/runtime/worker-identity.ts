// How a worker and its engine recognize each other. A worker's id is a hash of its secret, which it reveals to engines only: whoever has the secret is
// that worker, for every leader, and nothing needs to be stored. An engine proves in what it sends that it knows the secret.
import { createHash } from "node:crypto";
import { randomToken } from "../domain/random-token.ts";

export interface WorkerIdentity {
  readonly id: string;
  readonly secret: string;
}

const secretLength = 32;
const hashLength = 21;
/** Characters of a proof. */
export const proofLength = 32;

/** Of a new worker; `role` stands before its id, empty = none. */
export function newIdentity(role: string, secret = randomToken(secretLength)): WorkerIdentity {
  return { id: `${role}${role && "-"}${hashOf(secret)}`, secret };
}

/** Whether this is the worker's secret. */
export const isSecretOf = (id: string, secret: string): boolean =>
  secret.length >= secretLength && id.slice(id.indexOf("-") + 1) === hashOf(secret);

/** What an engine proves to a worker that it sent. */
export type ProvenVerb = "assign" | "cancel" | "ping";

/**
 * Proves that a message comes from somebody who knows the worker's secret. `n` counts what an engine has sent in an epoch: an overheard message
 * cannot be sent again with other content.
 *
 * For short texts of one form, a truncated plain hash proves as much as an HMAC, which takes Deno ten times as long.
 */
export const proofOf = (secret: string, verb: ProvenVerb, epoch: number, n: number): string =>
  createHash("sha256").update(`${verb} ${epoch} ${n} ${secret}`).digest("hex").slice(0, proofLength);

function hashOf(secret: string): string {
  const digest = createHash("sha256").update(secret).digest("hex");
  return `w${BigInt(`0x${digest}`).toString(36).slice(-hashLength).padStart(hashLength, "0")}`;
}
