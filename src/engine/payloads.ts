// The input bytes of runs: from memory where the scheduler keeps them, from the log otherwise.
import { MalformedRecord } from "../domain/errors.ts";
import { splitKey } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { Leader } from "../leader/leader.ts";
import type { CompactedRun } from "../matching/commands.ts";
import { entryIn, inputIn, inputsOf } from "../nats/stored-inputs.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry } from "../wire/outcome-entry.ts";
import { decodeRunEntry } from "../wire/run-entry.ts";

/** How many recently read bundles are kept: the runs of one bundle are requested one after another. */
const keptBundles = 16;
type Inputs = ReadonlyMap<string, Uint8Array>;

export class Payloads {
  readonly #leader: Leader;
  readonly #bundles = new Map<number, Promise<Inputs | undefined>>();

  constructor(leader: Leader) {
    this.#leader = leader;
  }

  /**
   * The input of a live run. Undefined if the store does not answer or the entry has moved: ask again. "gone" if it can never be read:
   * an operator deleted the entry, or the entry is malformed.
   */
  async ofLive(run: LiveRun): Promise<Uint8Array | "gone" | undefined> {
    const { key, seq } = run;
    try {
      const input = await this.read(key, seq);
      if (input !== undefined) return input;
      await this.#leader.progress.catchUp();
      return this.#leader.state.live.get(key) === run && run.seq === seq ? "gone" : undefined;
    } catch (error) {
      return error instanceof MalformedRecord ? "gone" : undefined;
    }
  }

  /** The input of a run in the entry at `seq`; undefined if it is gone. Fails: StoreUnavailable, MalformedRecord */
  async read(key: string, seq: number): Promise<Uint8Array | undefined> {
    const run = this.#leader.state.live.get(key);
    if (run?.seq === seq && run.input !== undefined) return run.input;
    if (run?.seq === seq && run.log.entries.bundleAt(seq) !== undefined) return this.#fromBundle(key, seq);
    const stored = await this.#leader.store.read(seq);
    return stored === undefined ? undefined : inputIn(stored, key);
  }

  /**
   * How a run ended, as its own outcome entry: from the outcome, or from its entry if that is pinned; undefined if it is gone.
   * Fails: StoreUnavailable, MalformedRecord
   */
  async readResult(key: string, at: NonNullable<CompactedRun["resultAt"]>): Promise<Uint8Array | undefined> {
    if ("entrySeq" in at) return this.#pinned(key, at.entrySeq);
    const stored = await this.#leader.store.read(at.seq);
    const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[at.index];
    return outcome?.key === key ? encodeOutcomeEntry("worker", [outcome.result]) : undefined;
  }

  async #pinned(key: string, seq: number): Promise<Uint8Array | undefined> {
    const stored = await this.#leader.store.read(seq);
    if (stored === undefined) return undefined;
    const entry = entryIn(stored, key);
    const state = entry?.extra?.state;
    return state !== undefined && "pinned" in state ? entry?.input : undefined; // an entry in its place that is not pinned is not a result
  }

  /** Reads a bundle once for all its runs that are requested at about the same time. */
  async #fromBundle(key: string, seq: number): Promise<Uint8Array | undefined> {
    let bundle = this.#bundles.get(seq);
    if (bundle === undefined) {
      bundle = this.#readBundle(seq);
      this.#bundles.set(seq, bundle);
      bundle.catch(() => this.#bundles.delete(seq)); // the next request reads it again
      if (this.#bundles.size > keptBundles) this.#bundles.delete(this.#bundles.keys().next().value!);
    }
    return (await bundle)?.get(splitKey(key).id);
  }

  async #readBundle(seq: number): Promise<Inputs | undefined> {
    const stored = await this.#leader.store.read(seq);
    return stored === undefined ? undefined : inputsOf(decodeRunEntry(stored.data));
  }
}
