// The journals of a test, in memory; a test can watch each append and withhold its answer.
import type { JournalName } from "../domain/durable.ts";
import type { Journal, StoredRecord } from "../worker/durable/journal.ts";

export class MemoryJournal implements Journal {
  readonly largestMessage = 1_000_000;
  readonly #journals = new Map<number, StoredRecord[]>();
  readonly #answers: (appends: number) => boolean;
  #seq = 0;
  /** Of all runs. */
  appends = 0;

  /** `answers` is asked after each append. If it says false, the append never resolves, as if its worker were dead. */
  constructor(answers: (appends: number) => boolean = () => true) {
    this.#answers = answers;
  }

  async append({ origin }: JournalName, data: Uint8Array, expect: number, replaces: boolean) {
    const before = this.#journals.get(origin) ?? [];
    if ((before.at(-1)?.seq ?? 0) !== expect) return undefined;
    const record = { seq: ++this.#seq, data: data.slice() };
    this.#journals.set(origin, replaces ? [record] : [...before, record]);
    return this.#answers(++this.appends) ? record.seq : new Promise<never>(() => {});
  }
  async read({ origin }: JournalName): Promise<readonly StoredRecord[]> {
    return [...(this.#journals.get(origin) ?? [])];
  }
  async last({ origin }: JournalName): Promise<StoredRecord | undefined> {
    return this.#journals.get(origin)?.at(-1);
  }
}
