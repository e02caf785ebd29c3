// When the house is kept: one thing after the other, each at its own pace.
import { forgetRuns } from "./forgetting.ts";
import { collectGarbage } from "./garbage.ts";
import type { House } from "./house.ts";
import { chooseMark } from "./mark.ts";
import { unpin } from "./pins.ts";

const lookEveryMs = 50;
const askAgainAfterMs = 30_000;

/** Takes the next step, if this engine leads and has no open request. */
export function keepHouse(house: House): void {
  const { unanswered, fold, retention, step } = house;
  const { uptime } = step;
  if (uptime < house.nextLookAt) return;
  house.nextLookAt = uptime + lookEveryMs;
  // What is erased waits until nothing is left of what the last mark has given up.
  if (uptime - house.leadingSince < house.options.housekeepingDelayMs && house.remains.size === 0) return;
  // An unknown key may have been moved before it was read.
  if (!fold.isWhole) return;
  house.spentSignals.purge(step);
  if (fold.pinned.size > 0) unpin(house);
  house.journals.purge(step);
  if (retention.phase !== "idle" && uptime - unanswered.askedAt > askAgainAfterMs) startAgain(house);
  if (retention.phase === "idle") chooseMark(house);
  else if (!unanswered.isEmpty) return;
  // Garbage is collected while a cycle waits, but after the cycle's turn: a busy engine always has some.
  if (!forgetRuns(house)) collectGarbage(house);
}

/** Forgets unanswered requests, and decides again from what the log says. */
function startAgain({ unanswered, retention, step }: House): void {
  retention.phase = "idle";
  unanswered.clear();
  unanswered.askedAt = step.uptime;
}
