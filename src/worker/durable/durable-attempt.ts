// An attempt at a durable run is one turn of it: it ends when its method does, or when the run is parked.
import { originToken } from "../../domain/durable.ts";
import type { WorkerTask } from "../../domain/worker.ts";
import type { Assignment } from "../../wire/assignment.ts";
import { textOf } from "../../wire/bytes.ts";
import { largestCarriedInput } from "../../wire/carried-input.ts";
import { accepted } from "../accepted.ts";
import { Attempt, type AttemptHost } from "../attempt.ts";
import type { Hold } from "../slot-pool.ts";
import { type StopCause, stopErrorOf } from "../verdict.ts";
import type { DurableRuns } from "./durable-runs.ts";
import { DurableTurn } from "./turn.ts";
import type { KeptFrame, TurnEnd, TurnGiven } from "./turn-host.ts";

/** Stands for an input that is not in the assignment and is read only if the code is called; not JSON, so no real input equals it. */
const apart = "\0";
/** Large enough that an outcome does not carry it, but says that the input stays where it is. */
const someLargeInput = new Uint8Array(largestCarriedInput + 1);

/** Ends only by its code, by its leader, or at its deadline, which the leader watches. Its steps have abort signals of their own. */
export class DurableAttempt extends Attempt {
  readonly #durable: DurableRuns;
  #turn: DurableTurn | undefined;
  #isLeaving = false;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(host: AttemptHost, given: Assignment, task: WorkerTask, durable: DurableRuns, hold?: Hold) {
    super(host, given, task, undefined, hold);
    if (this.extra?.inputIsApart === true) this.assignment = { ...given, input: someLargeInput };
    this.#durable = durable;
  }

  /** Whether the run's frame is still here: then no user code runs before something is stored. */
  get isWarm(): boolean {
    const { origin, turn } = this.assignment;
    return this.#durable.parts.frames.has(origin, turn);
  }

  protected override execute(onEnd: (fault?: unknown) => void): void {
    const { origin, turn, createdAt } = this.assignment;
    this.startedAt = this.host.nowAfter(createdAt);
    const before = this.stopped;
    if (before !== undefined && before.kind !== "cancelled") {
      this.give({ kind: "returned" });
      onEnd();
      return;
    }
    const onTurnEnd = (end: TurnEnd) => void this.#ended(end).then(() => onEnd(), onEnd);
    this.#turn = new DurableTurn(this.#durable.hostFor(this.task), this.#given, onTurnEnd);
    const kept = this.#durable.parts.frames.take(origin, turn);
    if (kept !== undefined) this.#durable.own(kept.frame, this);
    this.#turn.begin(kept);
    if (before !== undefined) this.stop(before);
    if (this.#isLeaving) this.#turn.leave();
  }

  override stop(cause: StopCause): void {
    if (this.isOver) return;
    if (this.stopped === undefined || cause.kind === "fenced") this.stopped = cause;
    const turn = this.#turn;
    if (turn === undefined) return;
    if (cause.kind === "cancelled") return void turn.cancel(cause.reason, cause.seq, cause.at);
    const reason = stopErrorOf(cause, this.task, this.task.timeoutMs);
    this.abort(reason);
    if (cause.kind === "fenced") return void turn.fence(reason);
    turn.giveBack(reason);
    this.#grace ??= setTimeout(() => turn.abandon(reason), this.host.graceMs);
  }

  override leave(): void {
    this.#isLeaving = true;
    this.#turn?.leave();
  }

  get #given(): TurnGiven {
    const { assignment, task } = this;
    const { key, origin, turn, createdAt } = assignment;
    const children = this.#durable.parts.childrenOf({
      ...assignment,
      metadata: this.metadata ?? {},
      worker: this.worker,
    });
    const enqueue = (other: string, id: string, input: string) => children.enqueue(other, id, input);
    const first = this.extra?.inputIsApart === true ? apart : textOf(assignment.input);
    return {
      ...{ key, origin, turn, createdAt, children, resume: this.extra?.resume },
      input: first,
      id: `${task.name}-${createdAt.toString(36)}-${originToken(origin)}`,
      codeFor: async (input: string) => {
        const whole = input === apart ? await this.#durable.inputOf(assignment) : input;
        return this.#durable.codeFor(task, { input: whole, isFirst: input === first }, this, enqueue);
      },
    };
  }

  async #ended(end: TurnEnd): Promise<void> {
    clearTimeout(this.#grace);
    if (end.kind === "completed") return this.#completed(end.output);
    if (end.kind === "parked") this.#keep(end.kept);
    this.give(end.kind === "failed" ? { ...end, isFinal: true } : end);
  }

  async #completed(output: unknown): Promise<void> {
    try {
      await accepted("output", this.task, output);
    } catch (error) {
      return this.give({ kind: "failed", error, isFinal: true });
    }
    this.give({ kind: "completed", output });
  }

  #keep(kept: KeptFrame | undefined): void {
    if (kept !== undefined && !this.#isLeaving) this.#durable.parts.frames.keep(this.assignment.origin, kept);
    else kept?.frame.drop();
  }
}

export const areWarm = (attempts: readonly Attempt[]): boolean =>
  attempts.every((attempt) => attempt instanceof DurableAttempt && attempt.isWarm);
