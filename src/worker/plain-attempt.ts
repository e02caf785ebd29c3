// An attempt that is one call: input checked, user code called, its deadline watched, output checked.
// Code that waits for nothing runs without a promise or a timer, which are most of an attempt's cost.
import type { FailurePayload } from "../domain/failure.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { after, isPending } from "../runtime/at-once.ts";
import { openAttempts, openFailure, openInput, takeInput } from "../sealing/sealed.ts";
import type { Assignment } from "../wire/assignment.ts";
import { jsonOf } from "../wire/bytes.ts";
import { accepted } from "./accepted.ts";
import { Attempt, type AttemptHost } from "./attempt.ts";
import type { Batch } from "./batch.ts";
import { RunContext, within } from "./context.ts";
import { Deadline } from "./deadline.ts";
import { outputOf } from "./output.ts";
import type { Hold } from "./slot-pool.ts";
import { failureOf, isRefusal, type StopCause, stopErrorOf } from "./verdict.ts";

/** Code that starts later than this after its run was accepted waited for other code, or the process was suspended. */
const patienceMs = 1_000;

export class PlainAttempt extends Attempt {
  /** On the clock of the deadlines, as {@link #begunAt}. */
  readonly #acceptedAt: number;
  #begunAt = 0;
  #deadline: Deadline | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor(host: AttemptHost, assignment: Assignment, task: WorkerTask, batch?: Batch, hold?: Hold) {
    super(host, assignment, task, batch, hold);
    this.#acceptedAt = host.deadlines.now();
  }

  protected override execute(onEnd: (fault?: unknown) => void): void {
    try {
      const ended = this.#execute();
      if (ended !== undefined) return void ended.then(() => onEnd(), onEnd);
    } catch (fault) {
      onEnd(fault);
      return;
    }
    onEnd();
  }

  override stop(cause: StopCause): void {
    if (this.isOver || this.stopped !== undefined) return;
    this.stopped = cause;
    this.#deadline?.clear();
    const error = stopErrorOf(cause, this.task, this.#allowedMs);
    this.#grace = setTimeout(() => this.#giveIfStopped(), this.host.graceMs);
    this.abort(error);
  }

  /** Its deadline has passed. */
  expired(): void {
    this.stop({ kind: "timeout" });
  }

  prepares(mostMs: number): () => void {
    this.#ownDeadline.extend(mostMs);
    return () => {
      if (!this.#isOnTime) return;
      this.#begunAt = this.host.deadlines.now();
      this.startedAt = this.host.nowAfter(this.assignment.createdAt);
      this.#ownDeadline.restart(this.#begunAt, this.#allowedMs - mostMs);
    };
  }

  override extendTimeout(ms: number): void {
    if (this.#isOnTime) this.#ownDeadline.extend(ms);
  }

  override get extendedUntil(): number | undefined {
    const allowedMs = this.#allowedMs;
    return allowedMs > this.task.timeoutMs ? this.startedAt + allowedMs : undefined;
  }

  override releaseSlot(): void {
    if (this.isSlotless || this.isOver || this.hold === undefined) return;
    this.isSlotless = true;
    // The slots of a batch are its first member's, as the engine counts them.
    if (!this.assignment.follows) this.hold.letGo();
    this.host.onSlotless?.();
  }

  get #isOnTime(): boolean {
    return this.stopped === undefined && !this.isOver;
  }

  /** Created on first use: code that ends synchronously has nothing to watch. */
  get #ownDeadline(): Deadline {
    this.#deadline ??= new Deadline(this.host.deadlines, this.#begunAt, this.task.timeoutMs, this);
    return this.#deadline;
  }

  get #allowedMs(): number {
    return this.#deadline?.allowedMs ?? this.task.timeoutMs;
  }

  /** Undefined if everything is already over; the promise never rejects. */
  #execute(): Promise<void> | undefined {
    this.startedAt = this.host.nowAfter(this.assignment.createdAt);
    try {
      const ended = after(
        after(this.#input(), (input) => this.#call(input)),
        (output) => this.#finish(output),
      );
      if (isPending(ended)) {
        return Promise.resolve(ended).then(
          () => this.#clearTimers(),
          (error) => this.#threw(error),
        );
      }
      this.#clearTimers();
    } catch (error) {
      this.#threw(error);
    }
    return undefined;
  }

  #input(): unknown {
    return after(this.#opened(jsonOf(this.assignment.input)), (value) => accepted("input", this.task, value));
  }

  /** The input in plain: at once where nothing beside it may be sealed, and its key is known. */
  #opened(value: unknown): unknown {
    const { vault } = this.host;
    const { key } = this.assignment;
    const { name, handlesFailures } = this.task;
    if (handlesFailures === true) return this.#openedFailure(openInput(vault, name, key, value));
    const input = takeInput(vault, name, key, value);
    return vault === undefined || this.history.length === 0 ? input : this.#openedHistory(input);
  }

  async #openedHistory(input: unknown): Promise<unknown> {
    this.history = await openAttempts(this.host.vault, this.assignment.key, this.storedHistory);
    return input;
  }

  /** The engine has put together what was sealed, and sees none of it. */
  async #openedFailure(opening: unknown): Promise<unknown> {
    return openFailure(this.host.vault, (await this.#openedHistory(await opening)) as FailurePayload);
  }

  #call(input: unknown): unknown {
    this.#begunAt = this.host.deadlines.now();
    if (this.#begunAt - this.#acceptedAt > patienceMs && this.host.mayBegin?.() === false)
      this.stop({ kind: "returned" });
    if (this.stopped !== undefined) throw new Error("stopped before its code began"); // its verdict is that of the stop
    const failure = this.task.handlesFailures ? (input as FailurePayload) : undefined;
    const given = failure === undefined ? input : failure.input;
    const ctx = new RunContext(given, this, failure?.failed);
    // Inside, so that an effect's code finds its run as well.
    const output = within(ctx, () => outputOf(this.task.handler(given, ctx), this));
    if (isPending(output)) this.#ownDeadline.watch();
    return output;
  }

  #finish(output: unknown): void | PromiseLike<void> {
    // Work completed despite a shutdown or a fence counts; after a cancellation or a timeout it is too late.
    if (this.stopped?.kind !== "returned" && !this.isFenced && this.#giveIfStopped()) return;
    return after(accepted("output", this.task, output), () => this.give({ kind: "completed", output }));
  }

  #threw(error: unknown): void {
    this.#clearTimers();
    if (isRefusal(error) || !this.#giveIfStopped()) this.give(failureOf(error, this.task));
  }

  #giveIfStopped(): boolean {
    const cause = this.stopped;
    if (cause === undefined) return false;
    if (cause.kind !== "timeout") this.give(cause);
    else this.give({ kind: "failed", error: stopErrorOf(cause, this.task, this.#allowedMs), isFinal: false });
    return true;
  }

  #clearTimers(): void {
    this.#deadline?.clear();
    if (this.#grace !== undefined) clearTimeout(this.#grace);
  }
}
