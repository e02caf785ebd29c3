// An attempt at a durable run is one turn of it: it ends when its method does, or when the run is parked.
import { originToken } from "../../domain/durable.ts";
import { InvalidData } from "../../domain/errors.ts";
import { validate } from "../../domain/schema.ts";
import type { WorkerTask } from "../../domain/worker.ts";
import { type Assignment, assignmentExtraOf } from "../../wire/assignment.ts";
import { textOf } from "../../wire/bytes.ts";
import { largestCarriedInput } from "../../wire/carried-input.ts";
import { Attempt, type AttemptHost } from "../attempt.ts";
import type { Hold } from "../slot-pool.ts";
import { type StopCause, stopErrorOf } from "../verdict.ts";
import type { DurableRuns } from "./durable-runs.ts";
import { DurableTurn } from "./turn.ts";
import type { KeptFrame, TurnEnd } from "./turn-host.ts";

/** No JSON: the input has to be read, should its code be called. */
const apart = "\0";
/** What an outcome says of a large input is only that it stays where it is. */
const someLargeInput = new Uint8Array(largestCarriedInput + 1);

interface DurableParts {
  readonly durable: DurableRuns;
  readonly hold: Hold | undefined;
}

export class DurableAttempt extends Attempt {
  readonly #durable: DurableRuns;
  readonly #inputIsApart: boolean;
  readonly #controller = new AbortController();
  #turn: DurableTurn | undefined;
  #onEnd: (fault?: unknown) => void = () => {};
  #isFenced = false;
  #isLeaving = false;
  #grace: ReturnType<typeof setTimeout> | undefined;
  /** What stopped it before its code began. */
  #stopped: StopCause | undefined;

  constructor(host: AttemptHost, given: Assignment, task: WorkerTask, { durable, hold }: DurableParts) {
    const isApart = assignmentExtraOf(given)?.inputIsApart === true;
    super(host, isApart ? { ...given, input: someLargeInput } : given, task, undefined, hold);
    this.#durable = durable;
    this.#inputIsApart = isApart;
  }

  override get isFenced(): boolean {
    return this.#isFenced;
  }

  /** No code of the user runs before something was stored. */
  get isWarm(): boolean {
    const { origin, turn } = this.assignment;
    return this.#durable.parts.frames.has(origin, turn);
  }

  /** Steps have signals of their own. */
  override get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Only its code, its leader and its deadline, which the leader keeps, end it. */
  override get extendedUntil(): undefined {
    return undefined;
  }

  override execute(onEnd: (fault?: unknown) => void): void {
    const { assignment, task } = this;
    const { key, origin, turn, createdAt } = assignment;
    this.startedAt = this.host.nowAfter(createdAt);
    this.#onEnd = onEnd;
    if (this.#stopped !== undefined && this.#stopped.kind !== "cancelled") return void this.#endedBefore(this.#stopped);
    const { childrenOf, frames } = this.#durable.parts;
    const parent = { ...assignment, metadata: this.metadata ?? {}, worker: this.worker };
    const children = childrenOf(parent);
    const enqueue = (other: string, id: string, input: string) => children.enqueue(other, id, input);
    const first = this.#inputIsApart ? apart : textOf(assignment.input);
    const given = {
      ...{ key, origin, turn, createdAt, children, resume: assignmentExtraOf(assignment)?.resume },
      input: first,
      id: `${task.name}-${createdAt.toString(36)}-${originToken(origin)}`,
      codeFor: async (input: string) => {
        const whole = input === apart ? await this.#durable.inputOf(assignment) : input;
        return this.#durable.codeFor(task, { input: whole, isFirst: input === first }, this, enqueue);
      },
    };
    this.#turn = new DurableTurn(this.#durable.hostFor(task), given, (end) => void this.#ended(end));
    const kept = frames.take(origin, turn);
    if (kept !== undefined) this.#durable.own(kept.frame, this);
    this.#turn.begin(kept);
    if (this.#stopped?.kind === "cancelled") this.stop(this.#stopped);
    if (this.#isLeaving) this.#turn.leave();
  }

  override stop(cause: StopCause): void {
    if (this.isOver) return;
    this.#stopped ??= cause;
    const turn = this.#turn;
    if (turn === undefined) return;
    const reason = stopErrorOf(cause, this.task, this.task.timeoutMs);
    if (cause.kind === "cancelled") return void turn.cancel(cause.reason, cause.seq, cause.at);
    this.#controller.abort(reason);
    if (cause.kind === "fenced") {
      this.#isFenced = true;
      return void turn.fence(reason);
    }
    turn.giveBack(reason);
    this.#grace ??= setTimeout(() => turn.abandon(reason), this.host.graceMs);
  }

  override leave(): void {
    this.#isLeaving = true;
    this.#turn?.leave();
  }

  override releaseSlot(): void {}

  #endedBefore(cause: StopCause): void {
    this.#isFenced = cause.kind === "fenced";
    this.give(cause.kind === "fenced" ? { kind: "fenced" } : { kind: "returned" });
    this.#onEnd();
  }

  async #ended(end: TurnEnd): Promise<void> {
    clearTimeout(this.#grace);
    try {
      await this.#tell(end);
      this.#onEnd();
    } catch (fault) {
      this.#onEnd(fault);
    }
  }

  async #tell(end: TurnEnd): Promise<void> {
    if (end.kind === "completed") return this.#completed(end.output);
    if (end.kind === "parked") {
      this.#keep(end.kept);
      return this.give({ kind: "parked", parked: end.parked });
    }
    if (end.kind === "failed") return this.give({ ...end, isFinal: true });
    if (end.kind === "fenced") this.#isFenced = true;
    this.give(end);
  }

  async #completed(output: unknown): Promise<void> {
    const { name, output: schema } = this.task;
    const checked = await validate(schema, output);
    if ("value" in checked) return this.give({ kind: "completed", output });
    const error = new InvalidData({ what: "output", task: name, issues: checked.issues });
    this.give({ kind: "failed", error, isFinal: true });
  }

  #keep(kept: KeptFrame | undefined): void {
    if (kept !== undefined && !this.#isLeaving) this.#durable.parts.frames.keep(this.assignment.origin, kept);
    else kept?.frame.drop();
  }
}

export const areWarm = (attempts: readonly Attempt[]): boolean =>
  attempts.every((attempt) => attempt instanceof DurableAttempt && attempt.isWarm);
