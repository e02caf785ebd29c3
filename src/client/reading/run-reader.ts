// client/reading/: what is read from the log: runs, lists, transcripts, journals.
// The reader of runs: it adds to what an engine knows of a run what only the log has. Input and output are read from the log itself, since both
// together may not fit into a message.
import type { RunInfo } from "../../domain/run.ts";
import type { StoredEntries } from "../../nats/stored-entries.ts";
import { inputIn, inputOfFinished } from "../../nats/stored-inputs.ts";
import { openRun, plainFieldsIn } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { jsonOf } from "../../wire/bytes.ts";
import type { FinalDetail } from "../../wire/story.ts";
import type { FoundRun } from "../../wire/verbs.ts";
import type { EngineRequests } from "../asking/engine-requests.ts";
import { deadlineOf, type Patience } from "../asking/patience.ts";

/** How often an engine is asked where an entry is: it may have moved before it is read. */
const looks = 3;

export class RunReader {
  readonly #requests: Pick<EngineRequests, "ask">;
  readonly #entries: StoredEntries;
  readonly #vault: Vault | undefined;

  constructor(requests: Pick<EngineRequests, "ask">, entries: StoredEntries, vault?: Vault) {
    this.#requests = requests;
    this.#entries = entries;
    this.#vault = vault;
  }

  /** Everything known about one run, with its input and output; null if it is not known. Fails: EngineUnreachable, StoreUnavailable, DecryptionFailed */
  async read(key: string, patience?: Patience): Promise<RunInfo | null> {
    const run = await this.#read(key, patience);
    return run && openRun(this.#vault, run);
  }

  /** Reads a run, with the fields of its input that stay readable when the run is stored again. */
  async readWithPlain(key: string): Promise<{ readonly run: RunInfo; readonly plain: readonly string[] } | null> {
    const stored = await this.#read(key);
    if (stored === null) return null;
    const run = await openRun(this.#vault, stored);
    return { run, plain: plainFieldsIn(stored.input, run.input) };
  }

  async #read(key: string, patience?: Patience): Promise<RunInfo | null> {
    const deadline = deadlineOf(patience);
    let info: RunInfo | null = null;
    for (let look = 0; look < looks; look++) {
      const found = await this.#requests.ask("get", { key }, deadline);
      info = found.run;
      if (info === null || found.at === undefined) return info;
      const whole = await this.#complete(key, info, found.at);
      if (whole !== undefined) return whole;
    }
    return info && { ...info, inputIsGone: true };
  }

  /** Adds what the log has. Undefined if it has nothing there any more. */
  #complete(key: string, info: RunInfo, at: NonNullable<FoundRun["at"]>): Promise<RunInfo | undefined> {
    return "entrySeq" in at
      ? this.#completeLive(key, info, at.entrySeq)
      : this.#completeFinished(key, info, at.outcomeSeq, at.index);
  }

  async #completeLive(key: string, info: RunInfo, seq: number): Promise<RunInfo | undefined> {
    const stored = await this.#entries.at(seq);
    const input = stored && inputIn(stored, key);
    return input && { ...info, input: jsonOf(input) };
  }

  async #completeFinished(key: string, info: RunInfo, seq: number, index: number): Promise<RunInfo | undefined> {
    const outcome = (await this.#entries.outcomesAt(seq))[index];
    if (outcome?.key !== key) return undefined;
    if (outcome.kind === "erased") return info;
    const isPinned = info.inputIsGone === true; // its entry has only its result
    if (isPinned && outcome.kind === "completed") return { ...info, output: jsonOf(outcome.output) };
    const { store, subjects } = this.#entries;
    const detail = outcome.detail as FinalDetail;
    const last = detail.attempts.at(-1);
    const input = isPinned ? undefined : await inputOfFinished(store, subjects, outcome);
    return {
      ...info,
      createdAt: detail.createdAt,
      priority: detail.priority || 1,
      ...(detail.terms && { terms: detail.terms }),
      attempts: detail.attempts,
      ...(input === undefined ? { inputIsGone: true } : { input: jsonOf(input) }),
      output: jsonOf(outcome.output),
      ...(last && { worker: last.worker, startedAt: last.startedAt }),
      ...(detail.error && { error: detail.error }),
      ...(detail.reason !== undefined && { reason: detail.reason }),
    };
  }
}
