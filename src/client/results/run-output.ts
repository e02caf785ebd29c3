// What a caller gets for the outcome of a run: its output, or an error.
import { RunCancelled, RunErased, RunFailed } from "../../domain/errors.ts";
import { isSealedError, openAttempts, openError, openOutput } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { jsonOf } from "../../wire/bytes.ts";
import type { Outcome } from "../../wire/outcome-entry.ts";
import type { FinalDetail } from "../../wire/story.ts";

/** The output; a promise of it if a key has to be asked for. Fails: RunFailed, RunCancelled, RunErased, MalformedRecord, DecryptionFailed */
export function outputOf(outcome: Outcome, vault: Vault | undefined): unknown {
  const { key } = outcome;
  if (outcome.kind === "completed") return heard(openOutput(vault, key, jsonOf(outcome.output)));
  if (outcome.kind === "erased") throw new RunErased({ key });
  const { error, reason, attempts } = outcome.detail as FinalDetail;
  if (outcome.kind === "cancelled") throw new RunCancelled({ key, reason: reason ?? "no reason given" });
  const failure = { key, error: error ?? { name: "Error", message: "unknown" }, attempts };
  if (vault === undefined && !isSealedError(failure.error)) throw new RunFailed(failure);
  return heard(openFailed(failure, vault));
}

async function openFailed({ key, error, attempts }: Failed, vault: Vault | undefined): Promise<never> {
  const told = { error: await openError(vault, key, error), attempts: await openAttempts(vault, key, attempts) };
  throw new RunFailed({ key, ...told });
}

type Failed = Pick<RunFailed, "key" | "error" | "attempts">;

/** Marks a promise as handled: whoever waited for it may have given up meanwhile. */
function heard(output: unknown): unknown {
  if (output instanceof Promise) output.catch(() => {});
  return output;
}
