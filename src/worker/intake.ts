// Takes what an engine assigns, as far as it fits: never what is older than the engine waits for, never what a batch lacks its first for.
import type { Effect } from "effect";
import { taskOf } from "../domain/run.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { type Assignment, type AssignmentReply, acknowledgeWithinMs, type Delivery } from "../wire/assignment.ts";
import type { Attempt } from "./attempt.ts";
import { Batch } from "./batch.ts";
import type { HeldRuns } from "./held-runs.ts";
import type { Slots } from "./slots.ts";

export interface IntakeParts {
  readonly tasks: ReadonlyMap<string, WorkerTask>;
  readonly slots: Slots;
  readonly held: HeldRuns;
  readonly make: (assignment: Assignment, task: WorkerTask, batch: Batch | undefined) => Attempt;
  readonly execute: (started: readonly Started[]) => void;
}

export interface Started {
  readonly attempt: Attempt;
  /** Holds its slot already. */
  readonly run: Effect.Effect<void>;
}

/** A batch whose runs travel in several messages, until the last of them is here. */
interface OpenGroup {
  readonly epoch: number;
  readonly batch: Batch;
  readonly started: Started[];
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Intake {
  readonly #parts: IntakeParts;
  #open: OpenGroup | undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Takes what fits and names the rest; the reply travels before any user code runs. */
  accept({ epoch, assignments, goesOn }: Delivery, later: (execute: () => void) => unknown): AssignmentReply {
    const { tasks, slots, held, execute } = this.#parts;
    const refused: number[] = [];
    let why: NonNullable<AssignmentReply["why"]> = "full";
    const group = this.#open === undefined ? undefined : this.#takeOpen(epoch, assignments[0]?.follows === true);
    const accepted: Started[] = group?.started ?? [];
    let batch = group?.batch;
    assignments.forEach((assignment, i) => {
      if (held.has(assignment)) return; // a doubled message: already ours
      const task = tasks.get(taskOf(assignment.key));
      const units = assignment.follows ? 0 : (task?.policies?.slots ?? 1);
      if (!assignment.follows) batch = undefined;
      const hasLostItsBatch = assignment.follows && batch === undefined;
      if (task === undefined || hasLostItsBatch || !slots.hasRoom(units)) {
        if (task === undefined) why = "unknown task";
        refused.push(i);
      } else {
        if (task.policies?.batch !== undefined) batch ??= new Batch(task);
        accepted.push(this.#start(assignment, task, units, batch));
      }
    });
    const complete = goesOn === true && batch !== undefined ? this.#keepOpen(epoch, batch, accepted) : accepted;
    if (complete.length > 0) later(() => execute(complete));
    return refused.length === 0 ? { epoch, refused } : { epoch, refused, why };
  }

  #start(assignment: Assignment, task: WorkerTask, units: number, batch: Batch | undefined): Started {
    const { slots, held, make } = this.#parts;
    const attempt = make(assignment, batch?.admit() ?? task, batch);
    held.add(attempt);
    return { attempt, run: units === 0 ? slots.join(attempt.run) : slots.hold(units, attempt, attempt.run) };
  }

  /** Returns what need not wait for the next message. */
  #keepOpen(epoch: number, batch: Batch, accepted: readonly Started[]): Started[] {
    const timer = setTimeout(() => this.#giveUpOpen(), acknowledgeWithinMs);
    this.#open = { epoch, batch, started: accepted.filter(({ attempt }) => attempt.batch === batch), timer };
    return accepted.filter(({ attempt }) => attempt.batch !== batch);
  }

  /** The group that the message before left open, if this one goes on with it. */
  #takeOpen(epoch: number, goesOn: boolean): OpenGroup | undefined {
    const open = this.#open!;
    if (!goesOn || open.epoch !== epoch) {
      this.#giveUpOpen();
      return undefined;
    }
    clearTimeout(open.timer);
    this.#open = undefined;
    return open;
  }

  /** The rest did not come: the engine takes that back, and is given this. */
  #giveUpOpen(): void {
    const open = this.#open;
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#open = undefined;
    for (const { attempt } of open.started) attempt.stop({ kind: "returned" });
    this.#parts.execute(open.started);
  }
}
