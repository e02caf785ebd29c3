// What is paused, according to the store, for frequent queries: one read at a time, never waited for longer than a second.
import { noPauses, type Pauses } from "../domain/pauses.ts";
import type { NatsLink } from "../nats/link.ts";
import { RecordStore } from "../nats/record-store.ts";
import { atMost } from "../runtime/at-most.ts";
import { isPauses } from "../wire/records.ts";
import type { Subjects } from "../wire/subjects.ts";

const patienceMs = 1_000;

export class KnownPauses {
  readonly #store: RecordStore;
  #known: Pauses = noPauses;
  #reading: Promise<void> | undefined;

  constructor(link: NatsLink, subjects: Subjects) {
    this.#store = new RecordStore(link, subjects);
  }

  /** The pauses as they were last read. */
  async now(): Promise<Pauses> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await atMost(patienceMs, this.#reading);
    return this.#known;
  }

  async #read(): Promise<void> {
    try {
      const record = await this.#store.glimpse("pauses");
      this.#known = isPauses(record) ? record : noPauses;
    } catch {
      // the store does not answer: the pauses that were last read still count
    }
  }
}

/** Which pause keeps a worker from getting runs, if any. */
export function pauseOf(
  pauses: Pauses,
  worker: { name: string; id: string },
  tasks: readonly string[],
): string | undefined {
  if (pauses.namespace) return "the namespace is paused";
  if (pauses.workers.includes(worker.name) || pauses.workers.includes(worker.id)) return "paused";
  return tasks.every((task) => pauses.tasks.includes(task)) ? "all its tasks are paused" : undefined;
}
