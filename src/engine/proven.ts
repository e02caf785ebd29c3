// Proof in each message of a leader to a worker that its sender knows the worker's secret and that the message is not a copy.
import type { Leader } from "../leader/leader.ts";
import { type ProvenVerb, proofOf } from "../runtime/worker-identity.ts";

/** Undefined for a worker that has not registered with this leader. */
export function provenTo({ state, term }: Pick<Leader, "state" | "term">, worker: string, verb: ProvenVerb) {
  const { epoch, workers } = state;
  const secret = workers.get(worker)?.secret;
  if (secret === undefined) return undefined;
  const n = term.nextMessage();
  return { epoch, n, proof: proofOf(secret, verb, epoch, n) };
}
