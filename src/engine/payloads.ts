// The input bytes of live runs: in memory up to a budget, read back from the log beyond it.

import type { RunStore } from "../nats/run-store.ts";
import { noBytes } from "../protocol/bytes.ts";
import { decodeRunEntry } from "../protocol/run-entry.ts";

interface Kept {
  readonly seq: number;
  readonly input: Uint8Array;
}

export class Payloads {
  readonly #store: RunStore;
  readonly #budgetBytes: number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(store: RunStore, budgetBytes: number) {
    this.#store = store;
    this.#budgetBytes = budgetBytes;
  }

  /** Keeps a copy, since `input` is a view on the connection's buffer; what comes over the budget is left in the log. */
  keep(key: string, seq: number, input: Uint8Array): void {
    this.drop(key);
    if (this.#bytes + input.length > this.#budgetBytes) return;
    this.#kept.set(key, { seq, input: input.length === 0 ? noBytes : input.slice() });
    this.#bytes += input.length;
  }

  drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#bytes -= kept.input.length;
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  /** The input at once, or undefined when it must be read. */
  peek(key: string, seq: number): Uint8Array | undefined {
    const kept = this.#kept.get(key);
    return kept?.seq === seq ? kept.input : undefined;
  }

  /** The input of the run entry at `seq`; undefined when the entry is gone. Fails: StoreUnavailable, MalformedRecord */
  async read(key: string, seq: number): Promise<Uint8Array | undefined> {
    const kept = this.peek(key, seq);
    if (kept !== undefined) return kept;
    const stored = await this.#store.read(seq);
    return stored === undefined ? undefined : decodeRunEntry(stored.data).input;
  }
}
