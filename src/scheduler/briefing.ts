import type { StoredCron } from "../domain/cron-record.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { StoredFailures } from "../reactions/failures.ts";
import type { TaskDeclaration } from "../wire/messages.ts";

/** What is stored beside the log: a leader begins with it. */
export interface Briefing {
  readonly pauses: Pauses;
  /** What workers declared of their tasks: a timeout that is not known yet would be taken for none. */
  readonly definitions: readonly TaskDeclaration[];
  /** Who handles failures, and up to where they are handled. */
  readonly failures: StoredFailures;
  readonly crons: readonly StoredCron[];
  readonly rates: readonly StoredRate[];
}
