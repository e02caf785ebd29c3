// The reporter: group commit of outcomes. Those of all attempts that ended in one tick become one entry, or one for each client that waits for some
// of them, since the server passes entries on as they are. An entry is published until it is acknowledged; what is not stored yet still counts as
// held, so that a lost connection cannot make the engine forget it.
import { Deque } from "../collections/deque.ts";
import type { Witness } from "../nats/publisher.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import { encodeOutcomeEntry } from "../wire/outcome-entry.ts";
import type { Attempt } from "./attempt.ts";
import type { WorkerParts } from "./worker-parts.ts";

export interface ReporterOptions extends Pick<WorkerParts, "publisher" | "subjects"> {
  readonly worker: string;
  /** The engine of this process, which reads outcomes back from the log while it leads. */
  readonly witness: Witness | undefined;
  /** The largest entry: with more, outcomes are split among several. Units: bytes */
  readonly entryBytes: () => number;
  /** Attempts without a verdict: while there is none there is nothing to wait for. */
  readonly undecided: () => number;
  /** Called when the outcome of an attempt is stored. */
  readonly onStored: (attempt: Attempt) => void;
  readonly onTrouble: (error: Error) => void;
  /** Pause after a refusal. Units: milliseconds. @default 1_000 */
  readonly pauseMs?: number;
}

/** An outcome of an attempt. */
export interface Report {
  readonly attempt: Attempt;
  readonly frame: Uint8Array;
  /** The client to which the server passes it on; empty = none. */
  readonly waiter: string;
}

const maxInFlight = 4;

export class Reporter {
  readonly #options: ReporterOptions;
  readonly #flushSoon = onceATick(() => this.#flush());
  /** Outcomes that are to be sent, by the client to which the server passes them on. */
  readonly #waiting = new Map<string, Deque<Report>>();
  /** How many these are. */
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
    let queue = this.#waiting.get(report.waiter);
    if (queue === undefined) {
      queue = new Deque();
      this.#waiting.set(report.waiter, queue);
    }
    queue.push(report);
    this.#waits += 1;
    if (this.#options.undecided() === 0) this.#flush();
    else this.#flushSoon();
  }

  /** Resolves when everything reported so far is stored, or given up by {@link close}. */
  idle(): Promise<void> {
    if (this.#isIdle || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Gives up outcomes that are not stored: their runs execute again elsewhere. */
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

  /** Takes as many reports as fit into an entry, oldest first and all of one waiter; waiters take turns. Touches no others. */
  #takeEntry(): Report[] {
    const limit = this.#options.entryBytes();
    const [waiter, queue] = this.#waiting.entries().next().value!;
    const taken: Report[] = [];
    let bytes = 0;
    for (let next = queue.first(); next !== undefined; next = queue.first()) {
      bytes += next.frame.length;
      if (bytes > limit && taken.length > 0) break;
      taken.push(next);
      queue.shift();
    }
    this.#waiting.delete(waiter);
    if (queue.size > 0) this.#waiting.set(waiter, queue);
    this.#waits -= taken.length;
    return taken;
  }

  /** Resolves when the entry is stored, or when the reporter is closed; never rejects. */
  async #send(reports: readonly Report[]): Promise<void> {
    this.#inFlight += 1;
    const { subjects, worker } = this.#options;
    const frames = reports.map((report) => report.frame);
    const entry = encodeOutcomeEntry("worker", frames);
    const subject = subjects.outcome("worker", worker, ++this.#n, reports[0]!.waiter);
    while (!(await this.#isAppended(subject, entry))) {
      if (this.#isClosed) return;
      await new Promise((resolve) => setTimeout(resolve, this.#options.pauseMs ?? 1_000));
    }
    this.#inFlight -= 1;
    for (const { attempt } of reports) this.#options.onStored(attempt);
    this.#flush();
    if (this.#isIdle) this.#tellIdle();
  }

  /**
   * The publisher retries what passes by itself. What it gives up (a full store, a missing permission) is retried here, since a dropped outcome
   * would leave its run executing forever. A conflict is an earlier copy of the same entry: nobody else writes to this subject.
   */
  async #isAppended(subject: string, entry: Uint8Array): Promise<boolean> {
    try {
      await this.#options.publisher.append(subject, entry, 0, { witness: this.#options.witness });
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
