// Attempts whose code has ended: an engine of this process is told of them, so that it can assign the next runs while outcomes are being stored (ADR 12).
import { onceATick } from "../runtime/once-a-tick.ts";
import type { Assignment } from "../wire/assignment.ts";
import type { Self } from "./self.ts";

/** Most outcomes in flight for which slots count as free. These runs are executed again if this worker dies, besides those in its slots. */
const mostUnstored = 1_000;

type WorkerOfEnded = Pick<Self, "id" | "link" | "neighbours" | "tasks" | "slots" | "held" | "executing">;

export class EndedAttempts {
  readonly #worker: WorkerOfEnded;
  /** The most slots that a single run takes. */
  readonly #mostUnits: number;
  readonly #tellSoon = onceATick(() => this.#tell());
  #ended: Assignment[] = [];

  constructor(worker: WorkerOfEnded) {
    this.#worker = worker;
    this.#mostUnits = Math.max(...Array.from(worker.tasks.values(), (task) => task.policies?.slots ?? 1));
  }

  /** What ends in one turn of the event loop is told together: each timer that ends an attempt has microtasks of its own. */
  add(assignment: Assignment): void {
    if (this.#worker.neighbours?.onEnded === undefined) return;
    this.#ended.push(assignment);
    this.#tellSoon();
  }

  #tell(): void {
    const { id, link, neighbours, held, executing } = this.#worker;
    const ended = this.#ended;
    this.#ended = [];
    const unstored = held.size - executing.size;
    // Without a connection, what executes here may soon be executing elsewhere too.
    if (this.#isShort && unstored <= mostUnstored && link.isConnected()) neighbours?.onEnded?.(id, ended);
  }

  /** Whether the worker may be short of slots as engines see it: a slot is taken until the outcome is stored. */
  get #isShort(): boolean {
    const { held, slots } = this.#worker;
    return held.size * this.#mostUnits >= slots.size;
  }
}
