// The step runner starts the steps of a turn: first those that are due again, then those that the code has opened, in the order of their calls.
// If turns were lost again and again at the same place, one of these steps probably kills its workers. They then start one at a time, and if
// that does not help, the first of them fails.
import type { EndedOps } from "./ended-ops.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import { RunningStep } from "./running-step.ts";
import { encodeError } from "./stored-error.ts";
import type { TurnParts } from "./turn-parts.ts";

const cautionFrom = 3;
const mostLost = 10;

export class StepRunner {
  /** How many turns were lost since the last delivery. */
  fruitless: number;
  readonly #turn: TurnParts;
  readonly #ended: EndedOps;
  /** Steps that the code has opened and that have not begun. */
  #waiting: Op[] = [];
  /** Steps that are executing, or that wait here for their next attempt. */
  readonly #running = new Map<Op, RunningStep>();

  constructor(turn: TurnParts, ended: EndedOps, fruitless: number) {
    this.#turn = turn;
    this.#ended = ended;
    this.fruitless = fruitless;
  }

  /** How many steps keep the run from being parked. */
  get size(): number {
    return this.#running.size;
  }
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(op: Op): void {
    this.#waiting.push(op);
  }

  /** Starts the steps that can start. Returns whether there were any. */
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

  /** Ends the pauses of steps: the next worker waits for what is left of them. */
  leave(): void {
    for (const step of [...this.#running.values()]) step.leave();
  }

  /** Ends pauses and tells code to stop. A result that a step still gives counts. */
  abort(reason: unknown): void {
    for (const step of [...this.#running.values()]) step.abort(reason);
  }

  /** Tells code to stop and ignores what it then throws: the step starts again on another worker. */
  giveUp(reason: unknown): void {
    for (const step of [...this.#running.values()]) step.giveUp(reason);
  }

  /** Ignores all results from now on. Steps that have not begun never do. */
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

  /** Fails a step that was lost too often, with an error that the code can catch. */
  #lose(op: Op): void {
    this.fruitless = 0;
    const error = new Error(
      `step ${op.name} was lost ${mostLost} times: each worker that executed it died or was gone`,
    );
    error.name = "StepLost";
    this.#ended.add(op, "error", encodeError(error));
  }
}
