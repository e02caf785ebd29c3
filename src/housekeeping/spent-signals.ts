// Signals that their runs have taken, or will never take: they are removed from the log, many at a time.
import type { Step } from "../matching/step.ts";

/** Signals to a run up to there, which are no longer needed. */
interface SpentSignal {
  readonly key: string;
  /** Undefined: all names. */
  readonly name: string | undefined;
  readonly upTo: number;
}

const purgesAtOnce = 200;

/** Signals leave the log once it says that their run has taken them, or is no longer live. */
export class SpentSignals {
  readonly #spent = new Map<string, SpentSignal>();

  /** Those that came earlier go with it. */
  add(spent: SpentSignal): void {
    const place = `${spent.key} ${spent.name ?? ""}`;
    const before = this.#spent.get(place);
    if (before === undefined || before.upTo < spent.upTo) this.#spent.set(place, spent);
  }
  /** A leader that has skipped part of the log requests nothing: it may not know the run. */
  purge({ commands }: Step): void {
    let asked = 0;
    for (const [place, { key, name, upTo }] of this.#spent) {
      if (asked++ === purgesAtOnce) return;
      this.#spent.delete(place);
      const filter = { signalsOf: key, ...(name !== undefined && { name }) };
      commands.push({ type: "purge", filter, keepFrom: upTo + 1 });
    }
  }
}
