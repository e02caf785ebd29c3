// The intake accepts the runs that an engine assigns, as far as they fit. It accepts no message for whose reply the engine no longer waits, and no
// members of a batch without its first.
import { taskOf } from "../domain/run.ts";
import type { WorkerTask } from "../domain/worker.ts";
import {
  type Assignment,
  type AssignmentMessage,
  type AssignmentReply,
  acknowledgeWithinMs,
} from "../wire/assignment.ts";
import type { Ahead } from "./ahead.ts";
import type { Attempt, AttemptHost } from "./attempt.ts";
import { Batch } from "./batch.ts";
import { areWarm, DurableAttempt } from "./durable/durable-attempt.ts";
import type { DurableRuns } from "./durable/durable-runs.ts";
import { PlainAttempt } from "./plain-attempt.ts";
import type { Self } from "./self.ts";
import type { Hold } from "./slot-pool.ts";

export interface IntakeParts extends Pick<Self, "tasks" | "slots" | "held" | "executing"> {
  readonly host: AttemptHost;
  /** Takes runs that are assigned beyond the slots; absent if none may be. */
  readonly ahead?: Ahead;
  /** Executes durable tasks. */
  readonly durable?: DurableRuns | undefined;
  /** Who leads, as far as the worker knows. */
  readonly leader: {
    /** The highest epoch heard of. */
    readonly newest: number;
    /** Why nothing of a message is accepted; undefined if it may be. */
    refusal(delivery: AssignmentMessage): AssignmentReply["why"];
  };
}

/** Accepted runs, and the batch and slots that the next run joins if it follows them. */
interface Group {
  readonly attempts: Attempt[];
  batch: Batch | undefined;
  hold: Hold | undefined;
}

/** A batch whose runs come in several messages, until the last message is here. */
interface OpenGroup extends Group {
  readonly epoch: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Intake {
  readonly #parts: IntakeParts;
  #open: OpenGroup | undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /**
   * Accepts what fits and names the rest. User code must not run before the reply is sent, so `later` executes the runs. `isWarm` tells it that none
   * of them calls user code before something is stored.
   */
  accept(delivery: AssignmentMessage, later: (execute: () => void, isWarm: boolean) => unknown): AssignmentReply {
    const { epoch, assignments } = delivery;
    const { leader } = this.#parts;
    const why = leader.refusal(delivery);
    if (why !== undefined) return { epoch: leader.newest, refused: assignments.map((_, i) => i), why };
    const group = this.#groupFor(delivery);
    const refused: number[] = [];
    let isUnknown = false;
    assignments.forEach((assignment, i) => {
      if (this.#parts.held.has(assignment)) return; // the message came twice: this worker has the run already
      const task = this.#parts.tasks.get(taskOf(assignment.key));
      isUnknown ||= task === undefined;
      if (task === undefined || !this.#admit(assignment, task, group)) refused.push(i);
    });
    const complete = delivery.goesOn === true ? this.#keepOpen(epoch, group) : group.attempts;
    const { executing, ahead } = this.#parts;
    if (complete.length > 0 || (ahead?.size ?? 0) > 0)
      later(() => (ahead ?? executing).begin(complete), areWarm(complete));
    return refused.length === 0 ? { epoch, refused } : { epoch, refused, why: isUnknown ? "unknown task" : "full" };
  }

  /** Accepts a run; false if there is no room for it, or if the batch that it follows was not accepted. */
  #admit(assignment: Assignment, task: WorkerTask, group: Group): boolean {
    const { slots, held, host, executing, durable, ahead } = this.#parts;
    if (!assignment.follows) {
      group.hold = slots.take(task.policies?.slots ?? 1);
      group.batch = group.hold && task.policies?.batch && new Batch(task);
    }
    const { hold, batch } = group;
    const isAhead = hold === undefined && ahead?.hasRoom === true;
    if ((hold === undefined && !isAhead) || (assignment.follows && batch === undefined)) return false;
    const attempt =
      task.durable !== undefined && durable !== undefined
        ? new DurableAttempt(host, assignment, task, durable, hold!)
        : new PlainAttempt(host, assignment, batch?.admit() ?? task, batch, hold);
    held.add(attempt);
    executing.add(attempt);
    if (isAhead) ahead.add(attempt);
    else group.attempts.push(attempt);
    return true;
  }

  /** The group that the previous message left open, if this message continues it, or else a new one. */
  #groupFor({ epoch, assignments }: AssignmentMessage): Group {
    const open = this.#open;
    if (open !== undefined && open.epoch === epoch && assignments[0]?.follows === true) {
      clearTimeout(open.timer);
      this.#open = undefined;
      return open;
    }
    this.#giveUpOpen();
    return { attempts: [], batch: undefined, hold: undefined };
  }

  /** Keeps the last batch open for the next message. Returns the runs that need not wait for it. */
  #keepOpen(epoch: number, { attempts, batch, hold }: Group): readonly Attempt[] {
    if (batch === undefined) return attempts;
    const timer = setTimeout(() => this.#giveUpOpen(), acknowledgeWithinMs);
    this.#open = { epoch, batch, hold, timer, attempts: attempts.filter((attempt) => attempt.batch === batch) };
    return attempts.filter((attempt) => attempt.batch !== batch);
  }

  /** Gives back the runs of a batch whose rest did not come; the engine takes back the rest by itself. */
  #giveUpOpen(): void {
    const open = this.#open;
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#open = undefined;
    for (const attempt of open.attempts) attempt.stop({ kind: "returned" });
    this.#parts.executing.begin(open.attempts);
  }
}
