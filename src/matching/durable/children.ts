// What a leader does for children: nobody wakes their parents but they, and nobody else ends them once nobody waits for them.
import { childPlaceOf } from "../../domain/durable.ts";
import type { Family } from "../../fold/families.ts";
import { isChild } from "../../fold/families.ts";
import type { FinishedRun } from "../../fold/finished-run.ts";
import type { Fold } from "../../fold/fold.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { cancelReasonOf } from "../attached.ts";
import { cancelRuns } from "../cancel.ts";
import type { Matching } from "../matching.ts";
import { wake } from "./wake.ts";

const reason = "its parent no longer waits for it";

/** An unwanted child does not start, and is stopped if it has. An unknown parent proves nothing if something was skipped. */
export function endUnwanted(state: Matching, family: Family | undefined): void {
  const { fold } = state;
  if (family === undefined || !fold.isWhole) return;
  for (const child of family.live) endIfUnwanted(state, child);
}

export function endIfUnwanted(state: Matching, child: LiveRun): void {
  const { fold } = state;
  if (!fold.isWhole || cancelReasonOf(child) !== undefined) return;
  if (fold.families.isWanted(child, fold.live) && !isGivenUp(fold, child)) return;
  cancelRuns(state, [child.key], reason, "parent");
}

/**
 * Of a group that fails fast another one has failed. Its parent will say so too, but it may need a slot for that which these children hold.
 * Their ends are of no interest: what the parent is offered is the first that failed.
 */
export function isGivenUp({ families, live }: Fold, child: LiveRun): boolean {
  const place = childPlaceOf(child.id);
  const parent = families.of(child)?.parent;
  const flow = place && parent != null ? live.get(parent)?.flow : undefined;
  if (place === undefined || flow === undefined || flow.lap !== place.lap) return false;
  const failsFast = flow.waits.some(
    (wait) => wait.kind === "children" && wait.ordinal === place.ordinal && wait.failFast === true,
  );
  return failsFast && (families.group(place.origin, place.lap, place.ordinal)?.failed ?? 0) > 0;
}

/** Nothing is missing any more: what was not looked at before is looked at now. */
export function endAllUnwanted(state: Matching): void {
  for (const family of state.fold.families.values()) endUnwanted(state, family);
}

/** The last of a group, or the first that failed, wakes its parent; one that failed may be the end of its siblings. */
export function tellParent(state: Matching, child: FinishedRun): void {
  const { fold } = state;
  const run = isChild(child) ? fold.families.parentOf(child, fold.live) : undefined;
  if (run === undefined) return;
  wake(state, run);
  const isFailure = child.kind !== "completed" && child.why !== reason;
  if (isFailure && run.flow?.waits.some((wait) => wait.kind === "children" && wait.failFast) === true)
    endUnwanted(state, fold.families.of(child));
}
