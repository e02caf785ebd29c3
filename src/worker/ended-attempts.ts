// Tells an engine of this process whose code has ended, so that it can assign the next runs while outcomes are being stored.
import { onceATick } from "../runtime/once-a-tick.ts";
import type { Assignment } from "../wire/assignment.ts";
import type { Self } from "./self.ts";

/** Most runs that may execute again if this worker dies, besides those in its slots: with more outcomes in flight it accepts none. */
const mostUnstored = 1_000;

type WorkerOfEnded = Pick<Self, "id" | "link" | "neighbours" | "tasks" | "slots" | "held" | "executing">;

export class EndedAttempts {
  readonly #worker: WorkerOfEnded;
  /** Slots that a single run may take. */
  readonly #mostUnits: number;
  readonly #tellSoon = onceATick(() => this.#tell());
  #ended: Assignment[] = [];

  constructor(worker: WorkerOfEnded) {
    this.#worker = worker;
    this.#mostUnits = Math.max(...Array.from(worker.tasks.values(), (task) => task.policies?.slots ?? 1));
  }

  /** Those of one turn of the event loop are reported together: timers that end them may each have microtasks of their own. */
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
    // Without a connection, runs executing here may execute elsewhere, too.
    if (this.#isShort && unstored <= mostUnstored && link.isConnected()) neighbours?.onEnded?.(id, ended);
  }

  /** As engines see it: a slot is taken until the outcome is stored. */
  get #isShort(): boolean {
    const { held, slots } = this.#worker;
    return held.size * this.#mostUnits >= slots.size;
  }
}
