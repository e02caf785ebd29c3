// Steps that may start: those that the code has opened, in call order, and those that are due again. If turns were lost
// again and again at one place, one of these steps kills its workers: then they start one at a time, and finally the culprit is given up.
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { StepClock, StepRunner } from "./step-runner.ts";

const cautionFrom = 3;
const mostLost = 10;

export class StepQueue {
  /** Turns lost since the last delivery. */
  fruitless = 0;
  readonly #runner: StepRunner;
  readonly #clock: StepClock;
  readonly #onLost: (op: Op, error: Error) => void;
  #waiting: Op[] = [];

  constructor(runner: StepRunner, clock: StepClock, onLost: (op: Op, error: Error) => void) {
    this.#runner = runner;
    this.#clock = clock;
    this.#onLost = onLost;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(op: Op): void {
    this.#waiting.push(op);
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Whether any code was called. */
  begin(frame: Frame): boolean {
    const now = this.#clock.now();
    const due = frame.opsThatAre("due later").filter(({ dueAt }) => dueAt <= now);
    const ready = [...due, ...this.#waiting.filter(({ state }) => state === "new")];
    this.#waiting = [];
    for (const op of ready) {
      if (this.fruitless >= mostLost) this.#lose(op);
      else if (this.fruitless < cautionFrom || this.#runner.size === 0) this.#runner.begin(frame, op);
      else if (op.state === "new") this.#waiting.push(op);
    }
    return ready.length > 0;
  }

  /** The code is told, and may compensate. */
  #lose(op: Op): void {
    this.fruitless = 0;
    const error = new Error(
      `step ${op.name} was lost ${mostLost} times: each worker that executed it died or was gone`,
    );
    error.name = "StepLost";
    this.#onLost(op, error);
  }
}
