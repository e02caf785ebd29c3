// A briefing: what a leader is told before it leads.
import type { StoredCron } from "../domain/cron-record.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { StoredFailures } from "../reactions/failures.ts";
import type { TaskDeclaration } from "../wire/worker-messages.ts";

/** What is stored besides the log, and a leader starts with. */
export interface Briefing {
  readonly pauses: Pauses;
  /** What workers declared about their tasks: an unknown timeout would count as none. */
  readonly definitions: readonly TaskDeclaration[];
  /** Who handles failures, and up to where they are handled. */
  readonly failures: StoredFailures;
  readonly crons: readonly StoredCron[];
  readonly rates: readonly StoredRate[];
  /** Of runs that were erased up to there, nothing is left. A log sequence */
  readonly erasedUpTo: number;
}
