// What a leader does for children: when one ends it wakes the parent, and those that nobody waits for any more are cancelled.
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

/** Cancels the live children of a family that nobody waits for. That a parent is unknown proves nothing if the log was read with a gap. */
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
 * Whether another child of a group that fails fast has failed. Its parent will give up the others too, but may need a slot for that which they
 * hold. Nobody is interested in how they end: the parent is offered the first one that failed.
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

/** The log has been read without a gap now, so that all families can be judged. */
export function endAllUnwanted(state: Matching): void {
  for (const family of state.fold.families.values()) endUnwanted(state, family);
}

/** A child has ended: the last of a group, or the first that failed, wakes the parent. A failure may be the end of its siblings. */
export function tellParent(state: Matching, child: FinishedRun): void {
  const { fold } = state;
  const run = isChild(child) ? fold.families.parentOf(child, fold.live) : undefined;
  if (run === undefined) return;
  wake(state, run);
  const isFailure = child.kind !== "completed" && child.why !== reason;
  if (isFailure && run.flow?.waits.some((wait) => wait.kind === "children" && wait.failFast) === true)
    endUnwanted(state, fold.families.of(child));
}
