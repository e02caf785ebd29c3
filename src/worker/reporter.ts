// Group commit: the outcomes of all attempts that ended in one tick become one outcome entry, or one for each client that waits for some
// of them, since the server passes those on as they are. An entry is published until it is acknowledged; what is not yet stored still
// counts as held, so that a lost connection cannot make the engine forget it.
import type { Publisher, Witness } from "../nats/publisher.ts";
import { encodeOutcomeEntry } from "../protocol/outcome-entry.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { Attempt } from "./attempt.ts";

export interface ReporterOptions {
  readonly worker: string;
  readonly publisher: Publisher;
  /** Reads the outcomes of this worker back from the log, if it leads. */
  readonly witness: Witness | undefined;
  readonly subjects: Subjects;
  /** Bytes at which an entry is split. */
  readonly entryBytes: () => number;
  /** Attempts that hold a slot: once all of them have reported there is nobody to wait for. */
  readonly executing: () => number;
  /** Called when the outcomes of these attempts are stored. */
  readonly onStored: (attempts: readonly Attempt[]) => void;
  readonly onTrouble: (error: Error) => void;
  /** Pause after a refusal. Units: milliseconds. @default 1_000 */
  readonly pauseMs?: number;
}

/** An outcome of an attempt. */
export interface Report {
  readonly attempt: Attempt;
  readonly frame: Uint8Array;
  /** The client that the log tells of it; empty = none. */
  readonly waiter: string;
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

  /** Stores an outcome soon; its attempt comes back in `onStored`. */
  report(report: Report): void {
    this.#waiting.push(report);
    if (this.#waiting.length >= this.#options.executing()) {
      this.#flush();
      return;
    }
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

  /** As many as an entry holds, all of one waiter. */
  #takeEntry(): Report[] {
    const limit = this.#options.entryBytes();
    const { waiter } = this.#waiting[0]!;
    const taken: Report[] = [];
    const left: Report[] = [];
    let bytes = 0;
    for (const report of this.#waiting) {
      const fits = report.waiter === waiter && (taken.length === 0 || bytes + report.frame.length <= limit);
      if (fits) bytes += report.frame.length;
      (fits ? taken : left).push(report);
    }
    this.#waiting = left;
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
    const subject = subjects.outcome(worker, ++this.#n, reports[0]!.waiter);
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
      await this.#options.publisher.append(subject, entry, 0, this.#options.witness);
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
