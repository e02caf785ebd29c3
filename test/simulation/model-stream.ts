import { keyOf, splitKey } from "../../src/domain/run.ts";
import type { BundleEvent, EntryEvent, FoldedOutcome, OutcomesEvent, SignalEvent } from "../../src/fold/log-events.ts";
import type { PurgeFilter } from "../../src/matching/commands.ts";

export type LogEntry = EntryEvent | BundleEvent | OutcomesEvent | SignalEvent;

/** The keys of the runs in an entry. */
export const keysOf = (entry: EntryEvent | BundleEvent): string[] =>
  entry.type === "entry" ? [keyOf(entry.task, entry.id)] : entry.runs.map(({ id }) => keyOf(entry.task, id));

/** The stream as the server keeps it: one message a run subject, purges by filter and sequence. */
export class ModelStream {
  /** Everything that was ever appended, in order. */
  readonly history: LogEntry[] = [];
  /** What is left, in order. */
  stored: LogEntry[] = [];
  /** By key, or by name of a bundle. */
  readonly #entryOf = new Map<string, number>();
  /** Counts removals, so that a fold of what is left knows when to start again. */
  removals = 0;
  readonly #now: () => number;

  /** `now`: the server's clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get lastSeq(): number {
    return this.history.length;
  }
  get outcomesFrom(): number {
    return this.stored.find((e) => e.type === "outcomes")?.seq ?? this.lastSeq + 1;
  }
  entrySeqOf(key: string): number {
    return this.#entryOf.get(key) ?? 0;
  }
  /** Appends a run entry if its subject's last sequence is the expected one. */
  writeEntry(key: string, expectSeq: number, entry: EntryEvent["entry"]): boolean {
    if (this.entrySeqOf(key) !== expectSeq) return false;
    if (expectSeq > 0) this.#remove((e) => e.seq === expectSeq);
    const { task, id } = splitKey(key);
    this.#append({ type: "entry", seq: this.lastSeq + 1, at: this.#now(), task, id, entry });
    this.#entryOf.set(key, this.lastSeq);
    return true;
  }
  /** The same for a bundle, by its name. */
  writeBundle(name: string, task: string, expectSeq: number, runs: BundleEvent["runs"]): boolean {
    if (this.entrySeqOf(name) !== expectSeq) return false;
    if (expectSeq > 0) this.#remove((e) => e.seq === expectSeq);
    this.#append({ type: "bundle", seq: this.lastSeq + 1, at: this.#now(), task, name, runs });
    this.#entryOf.set(name, this.lastSeq);
    return true;
  }
  /** The entry that a run has to itself. */
  singleOf(key: string): EntryEvent | undefined {
    const seq = this.#entryOf.get(key);
    const entry = seq === undefined ? undefined : this.after(seq - 1);
    return entry?.type === "entry" && entry.seq === seq ? entry : undefined;
  }
  /** What a client looks for before it creates a run under an id that was made for a bundle. */
  isBundled(key: string): boolean {
    return this.stored.some((e) => e.type === "bundle" && keysOf(e).includes(key));
  }
  writeOutcomes(by: "worker" | "engine", writer: string, outcomes: readonly FoldedOutcome[]): void {
    this.#append({ type: "outcomes", seq: this.lastSeq + 1, at: this.#now(), by, writer, outcomes });
  }
  /** Puts what is left of an outcome entry in its place, at the tail; purges it if nothing is. False if it is not there any more. */
  rewriteOutcomes(seq: number, outcomes: readonly FoldedOutcome[]): boolean {
    const before = this.after(seq - 1);
    if (before?.type !== "outcomes" || before.seq !== seq) return false;
    this.#remove((e) => e.seq === seq);
    const { by, writer, at, moved } = before;
    const place = { places: [...(moved?.places ?? []), seq], at: moved?.at ?? at };
    if (outcomes.length > 0)
      this.#append({ type: "outcomes", seq: this.lastSeq + 1, at: this.#now(), by, writer, outcomes, moved: place });
    return true;
  }
  writeSignal(task: string, id: string, name: string): void {
    this.#append({ type: "signal", seq: this.lastSeq + 1, at: this.#now(), task, id, name });
  }
  purge(filter: PurgeFilter, keepFrom: number): void {
    this.#remove((e) => {
      if (e.seq >= keepFrom) return false;
      if (filter === "outcomes") return e.type === "outcomes";
      if ("signalsOf" in filter)
        return e.type === "signal" && keyOf(e.task, e.id) === filter.signalsOf && e.name === (filter.name ?? e.name);
      if (e.type === "outcomes" || e.type === "signal") return false;
      const name = e.type === "bundle" ? e.name : keyOf(e.task, e.id);
      const isMeant =
        "task" in filter ? e.task === filter.task : name === ("key" in filter ? filter.key : filter.bundle);
      if (isMeant) this.#entryOf.delete(name);
      return isMeant;
    });
  }
  /** The first entry behind `position` that is still there. */
  after(position: number): LogEntry | undefined {
    const { stored } = this;
    let low = 0;
    let high = stored.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (stored[middle]!.seq > position) high = middle;
      else low = middle + 1;
    }
    return stored[low];
  }
  #append(entry: LogEntry): void {
    this.history.push(entry);
    this.stored.push(entry);
  }
  #remove(isGone: (entry: LogEntry) => boolean): void {
    const before = this.stored.length;
    this.stored = this.stored.filter((e) => !isGone(e));
    if (this.stored.length !== before) this.removals++;
  }
}
