// Signals leave the log once it says that their run has taken them, or is no longer live.
import type { House } from "./house.ts";
import type { SpentSignal } from "./retention-state.ts";

const purgesAtOnce = 200;

/** Those that came later go with it. */
export function noteSpent(house: House, spent: SpentSignal): void {
  const { spentSignals } = house;
  const name = `${spent.key} ${spent.name ?? ""}`;
  const before = spentSignals.get(name);
  if (before === undefined || before.upTo < spent.upTo) spentSignals.set(name, spent);
}

/** A leader that has skipped part of the log requests nothing: it may not know the run. */
export function purgeSignals(house: House): void {
  let asked = 0;
  for (const [place, { key, name, upTo }] of house.spentSignals) {
    if (asked++ === purgesAtOnce) return;
    house.spentSignals.delete(place);
    const filter = { signalsOf: key, ...(name !== undefined && { name }) };
    house.step.commands.push({ type: "purge", filter, keepFrom: upTo + 1 });
  }
}
