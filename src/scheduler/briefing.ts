// A briefing: what a leader is told before it leads.
import type { StoredCron } from "../domain/cron-record.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { StoredFailures } from "../reactions/failures.ts";
import type { TaskDeclaration } from "../wire/worker-messages.ts";

/** What is stored beside the log and known to a leader from its start. */
export interface Briefing {
  readonly pauses: Pauses;
  /** What workers have declared about their tasks. Without a definition, a task would count as one without a timeout. */
  readonly definitions: readonly TaskDeclaration[];
  /** Who handles failures, and up to where they are handled. */
  readonly failures: StoredFailures;
  readonly crons: readonly StoredCron[];
  readonly rates: readonly StoredRate[];
  /** A log sequence: nothing is left of an erased run if the log says nothing of it after this. */
  readonly erasedUpTo: number;
}
