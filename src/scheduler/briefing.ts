import type { StoredCron } from "../domain/cron-record.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { StoredFailures } from "../reactions/failures.ts";
import type { TaskDeclaration } from "../wire/messages.ts";

/** What is stored beside the log, as it was told last: a leader begins with it. */
export interface Briefing {
  pauses: Pauses;
  definitions: readonly TaskDeclaration[];
  failures: StoredFailures;
  crons: readonly StoredCron[];
  /** `readAt`: on the scheduler's own clock. */
  rates: { readonly stored: readonly StoredRate[]; readonly readAt: number };
}
