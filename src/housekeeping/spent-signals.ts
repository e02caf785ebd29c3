// Signals that their runs have taken, or will never take: they are removed from the log, many at a time.
import type { Step } from "../matching/step.ts";

/** Signals to a run, up to a sequence, that are no longer needed. */
interface SpentSignal {
  readonly key: string;
  /** Undefined for signals of all names. */
  readonly name: string | undefined;
  readonly upTo: number;
}

const purgesAtOnce = 200;

/** A signal may be removed once the log says that its run has taken it, or is no longer live. */
export class SpentSignals {
  readonly #spent = new Map<string, SpentSignal>();

  /** Notes spent signals. Earlier ones of the same name go with them. */
  add(spent: SpentSignal): void {
    const place = `${spent.key} ${spent.name ?? ""}`;
    const before = this.#spent.get(place);
    if (before === undefined || before.upTo < spent.upTo) this.#spent.set(place, spent);
  }
  /** Purges spent signals. Not called by a leader that has skipped part of the log, since it may not know their run. */
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
