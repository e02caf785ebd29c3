import type { FailureHandler } from "../domain/failure.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { StoredRate } from "../matching/commands.ts";
import type { TaskDeclaration } from "../wire/messages.ts";

/** What is stored beside the log, as it was told last: a leader begins with it. */
export interface Briefing {
  pauses: Pauses;
  definitions: readonly TaskDeclaration[];
  failureHandlers: readonly FailureHandler[];
  /** `readAt`: on the scheduler's own clock. */
  rates: { readonly stored: readonly StoredRate[]; readonly readAt: number };
}
