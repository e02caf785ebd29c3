// A hand-over: what a leader that leaves cleanly passes to the next one, so that this need not ask and waiting times go on.
import * as Schema from "effect/Schema";
import { Key, Name, Origin, Time, TurnNumber } from "./messages.ts";

/** An attempt that a leader has assigned. */
const LedgerEntry = Schema.Struct({ key: Key, turn: TurnNumber, origin: Origin, worker: Name });
/** Which time counts as waiting for a schedule timeout: from `since` to `until` without the gaps. Units: epoch milliseconds */
const CountedSpan = Schema.Struct({
  since: Time,
  until: Time,
  gaps: Schema.Array(Schema.Struct({ from: Time, to: Time })),
});
export const HandOver = Schema.Struct({
  /** All attempts that are assigned; absent if the list would not be complete. */
  ledger: Schema.optionalKey(Schema.Array(LedgerEntry)),
  counted: Schema.optionalKey(CountedSpan),
});

export type LedgerEntry = typeof LedgerEntry.Type;
export type CountedSpan = typeof CountedSpan.Type;
export type HandOver = typeof HandOver.Type;
