// What all parts of one turn of a durable run share.

import type { JournalWriter } from "./journal-writer.ts";
import type { PendingCancel } from "./pending-cancel.ts";
import type { TurnGiven, TurnHost } from "./turn-host.ts";

export interface TurnParts {
  readonly host: TurnHost;
  readonly given: TurnGiven;
  readonly writer: JournalWriter;
  readonly wish: PendingCancel;
  /** Whether the worker is stopping: then no new step and no new attempt of a step starts here. */
  readonly isLeaving: boolean;
}
