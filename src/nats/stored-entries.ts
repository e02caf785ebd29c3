// Stored entries: an entry that many want at about the same time is read once for all of them. And only a few are read at a time: the answers
// must not be more bytes than a socket can take.
import { Deque } from "../collections/deque.ts";
import { decodeOutcomeEntry, type Outcome } from "../wire/outcome-entry.ts";
import { decodeRunEntry } from "../wire/run-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { RunStore } from "./run-store.ts";
import type { StoredMessage } from "./stored-message.ts";

const readsAtOnce = 16;

interface Entry {
  readonly message: StoredMessage | undefined;
  outcomes: readonly Outcome[] | undefined;
}

export class StoredEntries {
  readonly store: RunStore;
  readonly subjects: Subjects;
  readonly #underWay = new Map<number, Promise<Entry>>();
  #reading = 0;
  readonly #waiting = new Deque<() => void>();

  constructor(store: RunStore, subjects: Subjects) {
    this.store = store;
    this.subjects = subjects;
  }

  /** The entry of a sequence; undefined when it is gone. Fails: StoreUnavailable */
  async at(seq: number): Promise<StoredMessage | undefined> {
    return (await this.#entry(seq)).message;
  }

  /** The outcomes of an outcome entry, or the one in the entry of a pinned run; none when the entry is gone. Fails: StoreUnavailable, MalformedRecord */
  async outcomesAt(seq: number): Promise<readonly Outcome[]> {
    const entry = await this.#entry(seq);
    if (entry.message === undefined) return [];
    const { data, subject } = entry.message;
    entry.outcomes ??= this.subjects.isRun(subject)
      ? pinnedIn(data)
      : decodeOutcomeEntry(data, this.subjects.parseOutcome(subject).writer).outcomes;
    return entry.outcomes;
  }

  #entry(seq: number): Promise<Entry> {
    let entry = this.#underWay.get(seq);
    if (entry === undefined) {
      entry = this.#read(seq).finally(() => this.#underWay.delete(seq));
      this.#underWay.set(seq, entry);
    }
    return entry;
  }

  async #read(seq: number): Promise<Entry> {
    while (this.#reading >= readsAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reading += 1;
    try {
      return { message: await this.store.read(seq), outcomes: undefined };
    } finally {
      this.#reading -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** The entry of a pinned run holds its outcome in place of its input. */
function pinnedIn(data: Uint8Array): readonly Outcome[] {
  const { extra, input } = decodeRunEntry(data);
  const state = extra?.state;
  return state !== undefined && "pinned" in state ? decodeOutcomeEntry(input).outcomes : [];
}
