// Group commit: the outcomes of all attempts that ended in one tick become one outcome entry. An entry is published until it is
// acknowledged; what is not yet stored still counts as held, so that a lost connection cannot make the engine forget it.
import type { Publisher } from "../nats/publisher.ts";
import { encodeOutcomeEntry } from "../protocol/outcome-entry.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { Attempt } from "./attempt.ts";

export interface ReporterOptions {
  readonly worker: string;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  /** Bytes at which an entry is split. */
  readonly entryBytes: () => number;
  /** Called when the outcomes of these attempts are stored. */
  readonly onStored: (attempts: readonly Attempt[]) => void;
  readonly onTrouble: (error: Error) => void;
  /** Pause after a refusal. Units: milliseconds. @default 1_000 */
  readonly pauseMs?: number;
}

interface Report {
  readonly attempt: Attempt;
  readonly frame: Uint8Array;
}

const maxInFlight = 4;

export class Reporter {
  readonly #options: ReporterOptions;
  #waiting: Report[] = [];
  #inFlight = 0;
  #n = 0;
  #isScheduled = false;
  #isClosed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Stores an outcome soon; `attempt` comes back in `onStored`. */
  report(attempt: Attempt, frame: Uint8Array): void {
    this.#waiting.push({ attempt, frame });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Resolves when everything reported so far is stored, or given up by {@link close}. */
  idle(): Promise<void> {
    if (this.#isIdle || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Gives up what is not stored: those runs are executed again elsewhere. */
  close(): void {
    this.#isClosed = true;
    this.#tellIdle();
  }

  get #isIdle(): boolean {
    return this.#inFlight === 0 && this.#waiting.length === 0;
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < maxInFlight && !this.#isClosed)
      void this.#send(this.#takeEntry());
  }

  #takeEntry(): Report[] {
    const limit = this.#options.entryBytes();
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.frame.length <= limit)) {
      bytes += this.#waiting[count]!.frame.length;
      count += 1;
    }
    const taken = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    return taken;
  }

  /** Ends when the entry is stored, or when the reporter is closed; never rejects. */
  async #send(reports: readonly Report[]): Promise<void> {
    this.#inFlight += 1;
    const { subjects, worker } = this.#options;
    const entry = encodeOutcomeEntry(
      "worker",
      reports.map((report) => report.frame),
    );
    const subject = subjects.outcome(worker, ++this.#n);
    while (!(await this.#isAppended(subject, entry))) {
      if (this.#isClosed) return;
      await new Promise((resolve) => setTimeout(resolve, this.#options.pauseMs ?? 1_000));
    }
    this.#inFlight -= 1;
    this.#options.onStored(reports.map((report) => report.attempt));
    this.#flush();
    if (this.#isIdle) this.#tellIdle();
  }

  /**
   * The publisher retries what passes; what it gives up (a full store, a permission that is missing) is tried again here, since an
   * outcome that is dropped would leave its run executing for ever. A conflict is an earlier copy of the same entry: the subject is ours.
   */
  async #isAppended(subject: string, entry: Uint8Array): Promise<boolean> {
    try {
      await this.#options.publisher.append(subject, entry, 0);
      return true;
    } catch (error) {
      if (!this.#isClosed) this.#options.onTrouble(error as Error);
      return false;
    }
  }

  #tellIdle(): void {
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
