// Tells an engine of this process whose code has ended, so that it can assign the next runs while outcomes are being stored.
import { onceATick } from "../runtime/once-a-tick.ts";
import type { Assignment } from "../wire/assignment.ts";
import type { HeldRuns } from "./held-runs.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** Most runs that may execute again if this worker dies, besides those in its slots: with more outcomes in flight it accepts none. */
const mostUnstored = 1_000;

export interface EndedAttemptsParts extends Pick<WorkerParts, "link" | "neighbours"> {
  /** Id of the worker. */
  readonly worker: string;
  readonly slots: number;
  /** Attempts whose code has not ended. */
  readonly busy: () => number;
  /** Slots that a single run may take. */
  readonly mostUnits: number;
  readonly held: HeldRuns;
}

export class EndedAttempts {
  readonly #parts: EndedAttemptsParts;
  readonly #tellSoon = onceATick(() => this.#tell());
  #ended: Assignment[] = [];

  constructor(parts: EndedAttemptsParts) {
    this.#parts = parts;
  }

  /** Those of one turn of the event loop are reported together: timers that end them may each have microtasks of their own. */
  add(assignment: Assignment): void {
    if (this.#parts.neighbours?.onEnded === undefined) return;
    this.#ended.push(assignment);
    this.#tellSoon();
  }

  #tell(): void {
    const { worker, link, neighbours, held, busy } = this.#parts;
    const ended = this.#ended;
    this.#ended = [];
    const unstored = held.size - busy();
    // Without a connection, runs executing here may execute elsewhere, too.
    if (this.#isShort && unstored <= mostUnstored && link.isConnected()) neighbours?.onEnded?.(worker, ended);
  }

  /** As engines see it: a slot is taken until the outcome is stored. */
  get #isShort(): boolean {
    const { held, slots, mostUnits } = this.#parts;
    return held.size * mostUnits >= slots;
  }
}
