// The steps of a turn: those that the code has opened start in call order, and those that are due again. If turns were lost again and again
// at one place, one of these steps kills its workers: then they start one at a time, and finally the culprit is given up.
import type { EndedOps } from "./ended-ops.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import { RunningStep } from "./running-step.ts";
import { encodeError } from "./stored-error.ts";
import type { TurnParts } from "./turn-parts.ts";

const cautionFrom = 3;
const mostLost = 10;

export class StepRunner {
  /** Turns lost since the last delivery. */
  fruitless: number;
  readonly #turn: TurnParts;
  readonly #ended: EndedOps;
  /** Opened by the code, and not begun. */
  #waiting: Op[] = [];
  /** Steps that are executing, or waiting in place. */
  readonly #running = new Map<Op, RunningStep>();

  constructor(turn: TurnParts, ended: EndedOps, fruitless: number) {
    this.#turn = turn;
    this.#ended = ended;
    this.fruitless = fruitless;
  }

  /** Steps that the run cannot park over. */
  get size(): number {
    return this.#running.size;
  }
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(op: Op): void {
    this.#waiting.push(op);
  }

  /** Whether any code was called. */
  begin(frame: Frame): boolean {
    const now = this.#turn.host.clock.now();
    const due = frame.ops.thatAre("due later").filter(({ dueAt }) => dueAt <= now);
    const ready = [...due, ...this.#waiting.filter(({ state }) => state === "new")];
    this.#waiting = [];
    for (const op of ready) {
      if (this.fruitless >= mostLost) this.#lose(op);
      else if (this.fruitless < cautionFrom || this.size === 0) this.#begin(frame, op);
      else if (op.state === "new") this.#waiting.push(op);
    }
    return ready.length > 0;
  }

  /** Stops waiting for pauses: the next worker will. */
  leave(): void {
    for (const step of [...this.#running.values()]) step.leave();
  }

  /** Ends pauses and tells code to stop; a step that ends by itself counts. */
  abort(reason: unknown): void {
    for (const step of [...this.#running.values()]) step.abort(reason);
  }

  /** Tells code to stop and ignores what it then throws: the step starts again elsewhere. */
  giveUp(reason: unknown): void {
    for (const step of [...this.#running.values()]) step.giveUp(reason);
  }

  /** What is waiting never starts, and results are ignored. */
  forget(reason: unknown): void {
    for (const step of this.#running.values()) step.forget(reason);
    this.#running.clear();
    this.#waiting = [];
  }

  #begin(frame: Frame, op: Op): void {
    op.state = "open";
    const step = new RunningStep(frame, op, this.#turn, (form, value) => {
      this.#running.delete(op);
      this.#ended.add(op, form, value);
    });
    this.#running.set(op, step);
    step.attempt();
  }

  /** The code is told, and may compensate. */
  #lose(op: Op): void {
    this.fruitless = 0;
    const error = new Error(
      `step ${op.name} was lost ${mostLost} times: each worker that executed it died or was gone`,
    );
    error.name = "StepLost";
    this.#ended.add(op, "error", encodeError(error));
  }
}
