import { foldBundle, foldEntry } from "./entries.ts";
import { foldSignal } from "./flow.ts";
import type { Fold } from "./fold.ts";
import type { LogEvent } from "./log-events.ts";
import { foldOutcomes } from "./outcomes.ts";

/** Whoever reads the log folds it with this and `readEntry`, in the order of its sequences; what to make of it is the listener's. */
export function foldEvent(fold: Fold, event: LogEvent): void {
  if (event.type === "outcomes") foldOutcomes(fold, event);
  else if (event.type === "entry") foldEntry(fold, event);
  else if (event.type === "bundle") foldBundle(fold, event);
  else if (event.type === "signal") foldSignal(fold, event);
  else fold.advance(event.seq, event.at);
}
