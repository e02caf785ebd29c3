// The input bytes of live runs: from memory where the scheduler keeps them, from the log otherwise.
import type { RunStore } from "../nats/run-store.ts";
import { decodeRunEntry } from "../protocol/run-entry.ts";
import type { LiveRun } from "../scheduler/live-run.ts";

export class Payloads {
  readonly #store: RunStore;
  readonly #find: (key: string) => LiveRun | undefined;

  constructor(store: RunStore, find: (key: string) => LiveRun | undefined) {
    this.#store = store;
    this.#find = find;
  }

  /** The input of the run entry at `seq`; undefined when the entry is gone. Fails: StoreUnavailable, MalformedRecord */
  async read(key: string, seq: number): Promise<Uint8Array | undefined> {
    const run = this.#find(key);
    if (run?.seq === seq && run.input !== undefined) return run.input;
    const stored = await this.#store.read(seq);
    return stored === undefined ? undefined : decodeRunEntry(stored.data).input;
  }
}
