// The log of a test: what a stream would contain, in memory and in order. Never compacted or purged.
import { keyOf } from "../domain/run.ts";
import type { EntryEvent, FoldedOutcome, OutcomesEvent, SignalEvent } from "../fold/log-events.ts";
import { noBytes } from "../wire/bytes.ts";
import type { RunEntry } from "../wire/run-entry.ts";
import type { OutcomeAuthor } from "../wire/subjects.ts";

export class MemoryLog {
  #seq = 0;
  /** The entries of runs by key, in the order in which they were created. */
  readonly #entries = new Map<string, EntryEvent>();
  readonly #signals = new Map<number, unknown>();
  readonly #outcomes = new Map<number, readonly FoldedOutcome[]>();

  /** The keys of all runs. */
  get keys(): Iterable<string> {
    return this.#entries.keys();
  }
  has(key: string): boolean {
    return this.#entries.has(key);
  }
  /** Stores a run; undefined if a run with this id exists. */
  create(task: string, id: string, entry: RunEntry, at: number): EntryEvent | undefined {
    const key = keyOf(task, id);
    if (this.#entries.has(key)) return undefined;
    const event: EntryEvent = { type: "entry", seq: ++this.#seq, at, task, id, entry };
    this.#entries.set(key, event);
    return event;
  }
  report(by: OutcomeAuthor, writer: string, outcomes: readonly FoldedOutcome[], at: number): OutcomesEvent {
    const seq = ++this.#seq;
    this.#outcomes.set(seq, outcomes);
    return { type: "outcomes", seq, at, by, writer, outcomes };
  }
  /** Stores a signal. Its data stays in this log, and only the scheduler's event is returned. */
  signal(task: string, id: string, name: string, data: unknown, at: number): SignalEvent {
    const seq = ++this.#seq;
    this.#signals.set(seq, data);
    return { type: "signal", seq, at, task, id, name };
  }
  saidBySignal(seq: number): unknown {
    return this.#signals.get(seq);
  }
  inputOf(key: string): Uint8Array {
    return this.#entries.get(key)?.entry.input ?? noBytes;
  }
  outcomeAt(seq: number, index: number): FoldedOutcome {
    return this.#outcomes.get(seq)![index]!;
  }
}
