// How a turn ends: with its method, or because it cannot continue. In that case the code does not match the journal, a key is missing, or the
// store refuses the journal.
import { PayloadTooLarge, RunCancelled } from "../../domain/errors.ts";
import { isKeyMissing, keyless, misfit } from "./blocked.ts";
import type { Frame } from "./frame.ts";
import type { TurnEnd } from "./turn-host.ts";
import type { TurnParts } from "./turn-parts.ts";

const refusedMs = 10_000;
const shorterJournalMs = 30_000;

const forgotten = "ctx.restart(input) was called, but what it gave was not returned; write return ctx.restart(input)";

export function methodEnd({ restart, isCancelled }: Frame, threw: boolean, value: unknown): TurnEnd {
  if (!threw && restart !== undefined) return { kind: "failed", error: new TypeError(forgotten) };
  if (!threw) return { kind: "completed", output: value };
  if (isCancelled && value instanceof RunCancelled) return { kind: "cancelled", reason: value.reason };
  return { kind: "failed", error: value };
}

/** The run is parked until a worker with other code is there. */
export function misfitEnd({ host, given }: TurnParts, reason: string, stack: string | undefined): TurnEnd {
  const told = "a durable run waits for code that matches its journal (natchet runs list --blocked)";
  host.log.error(told, { run: given.key, reason, stack });
  const parked = misfit(given.resume?.parked, reason, host.code, host.clock.now());
  return { kind: "parked", parked, kept: undefined };
}

export function refusedEnd({ host, given }: TurnParts, error: unknown): TurnEnd {
  const { key: run, resume } = given;
  if (isKeyMissing(error)) {
    host.log.error("a durable run waits for its key", { run, reason: error.message });
    return { kind: "parked", parked: keyless(resume?.parked, error.message, host.clock.now()), kept: undefined };
  }
  if (error instanceof PayloadTooLarge) return { kind: "failed", error }; // a retry would be refused as well
  host.log.error("the store refuses the journal of a durable run; it continues later", { run, error });
  return { kind: "later", ms: refusedMs };
}

/** The journal lacks messages that the log knows of. */
export function shorterEnd({ host, given }: TurnParts): TurnEnd {
  host.log.error("a journal has lost its end; its durable run continues once it is back", { run: given.key });
  return { kind: "later", ms: shorterJournalMs };
}
