// Group commit: the outcomes of all attempts that ended in one tick become one outcome entry, or one for each client that waits for some
// of them, since the server passes those on as they are. An entry is published until it is acknowledged; what is not yet stored still
// counts as held, so that a lost connection cannot make the engine forget it.
import type { Publisher, Witness } from "../nats/publisher.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import { encodeOutcomeEntry } from "../wire/outcome-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
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

/** Reports in the order in which they came; those before `from` are on their way. */
interface Queue {
  readonly reports: Report[];
  readonly from: number;
}

const maxInFlight = 4;

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #flushSoon = onceATick(() => this.#flush());
  /** By the client that the log tells of them. */
  readonly #waiting = new Map<string, Queue>();
  /** All of those. */
  #waits = 0;
  #inFlight = 0;
  #n = 0;
  #isClosed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Stores an outcome soon; its attempt comes back in `onStored`. */
  report(report: Report): void {
    const queue = this.#waiting.get(report.waiter);
    if (queue === undefined) this.#waiting.set(report.waiter, { reports: [report], from: 0 });
    else queue.reports.push(report);
    this.#waits += 1;
    if (this.#waits >= this.#options.executing()) this.#flush();
    else this.#flushSoon();
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
    return this.#inFlight === 0 && this.#waits === 0;
  }

  #flush(): void {
    while (this.#waits > 0 && this.#inFlight < maxInFlight && !this.#isClosed) void this.#send(this.#takeEntry());
  }

  /** As many as an entry holds, the oldest first, all of one waiter; each waiter has its turn. Looks at no report that it does not take. */
  #takeEntry(): Report[] {
    const limit = this.#options.entryBytes();
    const [waiter, queue] = this.#waiting.entries().next().value!;
    const { reports, from } = queue;
    let bytes = reports[from]!.frame.length;
    let to = from + 1;
    while (to < reports.length && bytes + reports[to]!.frame.length <= limit) bytes += reports[to++]!.frame.length;
    const taken = from === 0 && to === reports.length ? reports : reports.slice(from, to);
    this.#waiting.delete(waiter);
    if (to * 2 < reports.length) this.#waiting.set(waiter, { reports, from: to });
    else if (to < reports.length) this.#waiting.set(waiter, { reports: reports.slice(to), from: 0 }); // lets go of what was taken
    this.#waits -= taken.length;
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
    const subject = subjects.outcome("worker", worker, ++this.#n, reports[0]!.waiter);
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
