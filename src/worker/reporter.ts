// Group commit: the outcomes of all attempts that ended in one tick become one outcome entry. An entry is published until it is
// acknowledged; what is not yet stored still counts as held, so that a lost connection cannot make the engine forget it.
import { QueueFull } from "../domain/errors.ts";
import type { Publisher } from "../nats/publisher.ts";
import { encodeOutcomeEntry } from "../protocol/outcome-entry.ts";
import type { Subjects } from "../protocol/subjects.ts";

export interface ReporterOptions {
  readonly worker: string;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  /** Bytes at which an entry is split. */
  readonly entryBytes: number;
  /** Called when the outcomes of these tokens are stored. */
  readonly onStored: (tokens: readonly string[]) => void;
  readonly onTrouble: (error: Error) => void;
}

interface Report {
  readonly token: string;
  readonly frame: Uint8Array;
}

const maxInFlight = 4;

export class Reporter {
  readonly #options: ReporterOptions;
  #waiting: Report[] = [];
  #inFlight = 0;
  #n = 0;
  #isScheduled = false;
  #onIdle: (() => void)[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Stores an outcome soon; `token` comes back in `onStored`. */
  report(token: string, frame: Uint8Array): void {
    this.#waiting.push({ token, frame });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Resolves when everything reported so far is stored. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#inFlight === 0 && this.#waiting.length === 0;
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < maxInFlight) this.#send(this.#takeEntry());
  }

  #takeEntry(): Report[] {
    let bytes = 0;
    let count = 0;
    while (
      count < this.#waiting.length &&
      (count === 0 || bytes + this.#waiting[count]!.frame.length <= this.#options.entryBytes)
    ) {
      bytes += this.#waiting[count]!.frame.length;
      count += 1;
    }
    const taken = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    return taken;
  }

  #send(reports: readonly Report[]): void {
    this.#inFlight += 1;
    const { subjects, worker } = this.#options;
    const entry = encodeOutcomeEntry(
      "worker",
      reports.map((report) => report.frame),
    );
    this.#append(subjects.outcome(worker, ++this.#n), entry).then(
      () => this.#stored(reports),
      (error: Error) => {
        this.#options.onTrouble(error); // the publisher was closed: the runs are executed again elsewhere
        this.#stored([]);
      },
    );
  }

  /** Only a full store is waited for here; everything else that passes is the publisher's to retry. */
  async #append(subject: string, entry: Uint8Array): Promise<void> {
    for (;;) {
      try {
        await this.#options.publisher.append(subject, entry, 0);
        return;
      } catch (error) {
        if (!(error instanceof QueueFull)) throw error;
        this.#options.onTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }

  #stored(reports: readonly Report[]): void {
    this.#inFlight -= 1;
    if (reports.length > 0) this.#options.onStored(reports.map((report) => report.token));
    this.#flush();
    if (!this.#isIdle) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
