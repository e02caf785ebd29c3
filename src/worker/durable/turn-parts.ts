// What all who act in one turn of a durable run share.

import type { JournalWriter } from "./journal-writer.ts";
import type { PendingCancel } from "./pending-cancel.ts";
import type { TurnGiven, TurnHost } from "./turn-host.ts";

export interface TurnParts {
  readonly host: TurnHost;
  readonly given: TurnGiven;
  readonly writer: JournalWriter;
  readonly wish: PendingCancel;
  /** The worker is stopping: no new step starts here, and no more attempts. */
  readonly isLeaving: boolean;
}
