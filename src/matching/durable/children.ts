// What a leader does for children: nobody wakes their parents but they, and nobody else ends them once nobody waits for them.
import type { Family } from "../../fold/families.ts";
import { isChild } from "../../fold/families.ts";
import type { FinishedRun } from "../../fold/finished-run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { cancelReasonOf } from "../attached.ts";
import { cancelRuns } from "../cancel.ts";
import type { Matching } from "../matching.ts";
import { wake } from "./wake.ts";

const reason = "its parent does not wait for it any more";

/** A child that is not wanted does not begin, and is stopped where it has. To be unknown proves nothing where something was skipped. */
export function endUnwanted(state: Matching, family: Family | undefined): void {
  const { fold } = state;
  if (family === undefined || !fold.isWhole) return;
  for (const child of family.live) endIfUnwanted(state, child);
}

export function endIfUnwanted(state: Matching, child: LiveRun): void {
  const { fold } = state;
  if (!fold.isWhole || cancelReasonOf(child) !== undefined || fold.families.isWanted(child, fold.live)) return;
  cancelRuns(state, [child.key], reason, "parent");
}

/** Nothing is missing any more: what was not looked at before is looked at now. */
export function endAllUnwanted(state: Matching): void {
  for (const family of state.fold.families.values()) endUnwanted(state, family);
}

/** The last of a group, or the first that failed, wakes its parent. */
export function tellParent(state: Matching, child: FinishedRun): void {
  const { fold } = state;
  const parent = isChild(child) ? fold.families.of(child)?.parent : undefined;
  const run = parent == null ? undefined : fold.live.get(parent);
  if (run !== undefined) wake(state, run);
}
