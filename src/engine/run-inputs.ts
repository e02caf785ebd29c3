// The inputs of live runs that are not kept in memory, for whoever cannot go on without them.
import { MalformedRecord } from "../domain/errors.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { Payloads } from "./payloads.ts";

export interface RunInputsParts {
  readonly payloads: Payloads;
  /** Folds what is stored by now. Fails: StoreUnavailable */
  readonly catchUp: () => Promise<void>;
  readonly isLive: (run: LiveRun) => boolean;
}

export class RunInputs {
  readonly #parts: RunInputsParts;

  constructor(parts: RunInputsParts) {
    this.#parts = parts;
  }

  /**
   * The input of a run; undefined when it has to be asked for again: the store does not answer, or the entry has moved. "gone" when no one
   * will ever read it: an operator deleted the entry, or it is not what a run entry should be.
   */
  async read(run: LiveRun): Promise<Uint8Array | "gone" | undefined> {
    const { payloads, catchUp, isLive } = this.#parts;
    const { key, seq } = run;
    try {
      const input = await payloads.read(key, seq);
      if (input !== undefined) return input;
      await catchUp();
      return isLive(run) && run.seq === seq ? "gone" : undefined;
    } catch (error) {
      return error instanceof MalformedRecord ? "gone" : undefined;
    }
  }
}
