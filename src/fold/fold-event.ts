// The way into the fold: each kind of log event goes to the rules for it.
import { foldBundle, foldEntry } from "./entries.ts";
import { foldSignal } from "./flow.ts";
import type { Fold } from "./fold.ts";
import type { LogEvent } from "./log-events.ts";
import { foldOutcomes } from "./outcomes.ts";

/** Folds what `readEntry` has made of an entry. Entries are folded in the order of their sequences; what to make of a change is up to the listener. */
export function foldEvent(fold: Fold, event: LogEvent): void {
  if (event.type === "outcomes") foldOutcomes(fold, event);
  else if (event.type === "entry") foldEntry(fold, event);
  else if (event.type === "bundle") foldBundle(fold, event);
  else if (event.type === "signal") foldSignal(fold, event);
  else fold.advance(event.seq, event.at);
}
