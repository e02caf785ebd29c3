// One try at a run: input checked, user code called, deadline and cancellation watched, and in the end exactly one verdict.
// Code that waits for nothing runs without a promise or a timer, which are most of an attempt's cost.
import { InvalidData } from "../domain/errors.ts";
import type { FailurePayload } from "../domain/failure.ts";
import type { RunTerms } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import { type Validation, validate } from "../domain/schema.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { isPlainInput, openAttempts, openFailure, openInput, plainInputRefused } from "../sealing/sealed.ts";
import type { Vault } from "../sealing/vault.ts";
import { type Assignment, assignmentExtraOf } from "../wire/assignment.ts";
import { jsonOf } from "../wire/bytes.ts";
import type { Batch } from "./batch.ts";
import { type ContextSource, RunContext, within } from "./context.ts";
import { Deadline, type Deadlines } from "./deadline.ts";
import { outputOf } from "./output.ts";
import type { Hold } from "./slot-pool.ts";
import type { Voice } from "./transcripts/voice.ts";
import { failureOf, type StopCause, stopErrorOf, type Verdict } from "./verdict.ts";

/** What all attempts of a worker have in common. */
export interface AttemptHost {
  /** Id of the worker. */
  readonly worker: string;
  readonly graceMs: number;
  /** Absent where encryption is off. */
  readonly vault?: Vault | undefined;
  /** The time now, never before `stampMs`, which the server has stamped. Units: epoch milliseconds */
  readonly nowAfter: (stampMs: number) => number;
  readonly deadlines: Deadlines;
  /** Called when an attempt first produces output. */
  readonly voiceFor: (attempt: Attempt) => Voice;
  /** Asked before code starts that has waited since its run was accepted: whether the run may still be this worker's. @default always */
  readonly mayBegin?: () => boolean;
  /** An attempt continues without its slot. */
  readonly onSlotless?: () => void;
  /** Called once per attempt, as soon as the verdict stands; user code may still be running. Must not throw. */
  readonly onVerdict: (attempt: Attempt, verdict: Verdict) => void;
}

/** Code that starts later than this after its run was accepted waited for other code, or the process was suspended. */
const patienceMs = 1_000;
const noHistory: readonly AttemptRecord[] = [];

export class Attempt implements ContextSource {
  readonly assignment: Assignment;
  readonly task: WorkerTask;
  /** If it executes in one call with others. */
  readonly batch: Batch | undefined;
  /** Its slots, while its code runs. */
  readonly hold: Hold | undefined;
  history: readonly AttemptRecord[];
  /** As it is stored: what is sealed stays so. */
  readonly storedHistory: readonly AttemptRecord[];
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly terms: RunTerms | undefined;
  startedAt = 0;
  isSlotless = false;
  protected readonly host: AttemptHost;
  /** On the clock of the deadlines, as {@link #begunAt}. */
  readonly #acceptedAt: number;
  #begunAt = 0;
  #deadline: Deadline | undefined;
  #controller: AbortController | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #stop: StopCause | undefined;
  #voice: Voice | undefined;
  #hasVerdict = false;

  constructor(host: AttemptHost, assignment: Assignment, task: WorkerTask, batch?: Batch, hold?: Hold) {
    this.host = host;
    this.assignment = assignment;
    this.task = task;
    this.batch = batch;
    this.hold = hold;
    this.#acceptedAt = host.deadlines.now();
    const extra = assignmentExtraOf(assignment);
    this.history = extra?.history ?? noHistory;
    this.storedHistory = this.history;
    this.metadata = extra?.metadata;
    this.terms = extra?.terms;
  }

  get taskName(): string {
    return this.task.name;
  }

  get runId(): string {
    return this.assignment.key.slice(this.task.name.length + 1);
  }

  get worker(): string {
    return this.host.worker;
  }

  get number(): number {
    return this.assignment.attempt;
  }

  get voice(): Voice {
    this.#voice ??= this.host.voiceFor(this);
    return this.#voice;
  }

  /** Undefined while nothing was said. */
  get spoken(): Voice | undefined {
    return this.#voice;
  }

  /** The verdict stands; user code may still be running. */
  get isOver(): boolean {
    return this.#hasVerdict;
  }

  /** It may end its run only with completed work. */
  get isFenced(): boolean {
    return this.#stop?.kind === "fenced";
  }

  /** Created on first use: most tasks never need it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stop !== undefined) this.#controller.abort(this.#stopError(this.#stop));
    }
    return this.#controller.signal;
  }

  /** Calls back when user code has really ended, whatever the verdict, with anything natchet itself threw. Never throws. */
  execute(onEnd: (fault?: unknown) => void): void {
    try {
      const ended = this.#execute();
      if (ended !== undefined) return void ended.then(() => onEnd(), onEnd);
    } catch (fault) {
      onEnd(fault);
      return;
    }
    onEnd();
  }

  /** Aborts the signal now; after the grace period the verdict is given whether user code has ended or not. */
  stop(cause: StopCause): void {
    if (this.#hasVerdict || this.#stop !== undefined) return;
    this.#stop = cause;
    this.#deadline?.clear();
    this.#grace = setTimeout(() => this.give(this.#stoppedVerdict(cause)), this.host.graceMs);
    this.#controller?.abort(this.#stopError(cause));
  }

  /** The worker is stopping: what can continue elsewhere does not continue here. A plain attempt ends by itself. */
  leave(): void {}

  prepares(mostMs: number): () => void {
    this.#ownDeadline.extend(mostMs);
    return () => {
      if (this.#stop !== undefined || this.#hasVerdict) return;
      this.#begunAt = this.host.deadlines.now();
      this.startedAt = this.host.nowAfter(this.assignment.createdAt);
      this.#ownDeadline.restart(this.#begunAt, this.#allowedMs - mostMs);
    };
  }

  extendTimeout(ms: number): void {
    if (this.#stop === undefined && !this.#hasVerdict) this.#ownDeadline.extend(ms);
  }

  /** Created on first use: code that ends synchronously has nothing to watch. */
  get #ownDeadline(): Deadline {
    this.#deadline ??= new Deadline(this.host.deadlines, this.#begunAt, this.task.timeoutMs, this);
    return this.#deadline;
  }

  /** Its time is over. */
  expired(): void {
    this.stop({ kind: "timeout" });
  }

  get #allowedMs(): number {
    return this.#deadline?.allowedMs ?? this.task.timeoutMs;
  }

  /** When its time is over, if that was moved. Units: epoch milliseconds */
  get extendedUntil(): number | undefined {
    const allowedMs = this.#allowedMs;
    return allowedMs > this.task.timeoutMs ? this.startedAt + allowedMs : undefined;
  }

  releaseSlot(): void {
    if (this.isSlotless || this.#hasVerdict || this.hold === undefined) return;
    this.isSlotless = true;
    // The slots of a batch are its first member's, as the engine counts them.
    if (!this.assignment.follows) this.hold.letGo();
    this.host.onSlotless?.();
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
    const { input: schema } = this.task;
    return after(this.#opened(jsonOf(this.assignment.input)), (value) =>
      schema === undefined ? value : after(validate(schema, value), (checked) => this.#accepted("input", checked)),
    );
  }

  /** The input in plain: at once where nothing beside it may be sealed, and its key is known. */
  #opened(value: unknown): unknown {
    const { vault } = this.host;
    const { name, handlesFailures } = this.task;
    const input = openInput(vault, name, this.assignment.key, value);
    if (handlesFailures === true) return this.#openedFailure(input);
    if (vault === undefined) return input;
    if (vault.isRequired && isPlainInput(value)) this.#refusePlain();
    return this.history.length === 0 ? input : this.#openedHistory(input);
  }

  async #openedHistory(input: unknown): Promise<unknown> {
    this.history = await openAttempts(this.host.vault, this.assignment.key, this.storedHistory);
    return input;
  }

  /** The engine has put together what was sealed, and sees none of it. */
  async #openedFailure(opening: unknown): Promise<unknown> {
    const { vault } = this.host;
    const payload = (await this.#openedHistory(await opening)) as FailurePayload;
    if (vault?.isRequired === true && isPlainInput(payload.input)) this.#refusePlain();
    return openFailure(vault, payload);
  }

  #refusePlain(): never {
    this.give({ kind: "failed", error: plainInputRefused(this.assignment.key), isFinal: true });
    throw leaving;
  }

  #call(input: unknown): unknown {
    this.#begunAt = this.host.deadlines.now();
    if (this.#begunAt - this.#acceptedAt > patienceMs && this.host.mayBegin?.() === false)
      this.stop({ kind: "returned" });
    if (this.#giveIfStopped()) throw leaving; // before user code began
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
    if (this.#stop?.kind !== "returned" && !this.isFenced && this.#giveIfStopped()) return;
    const { output: schema } = this.task;
    if (schema === undefined) return this.give({ kind: "completed", output });
    return after(validate(schema, output), (checked) => {
      this.#accepted("output", checked);
      this.give({ kind: "completed", output });
    });
  }

  #accepted(what: "input" | "output", checked: Validation): unknown {
    if ("value" in checked) return checked.value;
    const error = new InvalidData({ what, task: this.task.name, issues: checked.issues });
    this.give({ kind: "failed", error, isFinal: true });
    throw leaving;
  }

  #threw(error: unknown): void {
    this.#clearTimers();
    if (error !== leaving && !this.#giveIfStopped()) this.give(failureOf(error, this.task));
  }

  #stoppedVerdict(cause: StopCause): Verdict {
    if (cause.kind === "timeout") return { kind: "failed", error: this.#stopError(cause), isFinal: false };
    return cause;
  }

  #giveIfStopped(): boolean {
    if (this.#stop === undefined) return false;
    this.give(this.#stoppedVerdict(this.#stop));
    return true;
  }

  /** Once; a fenced attempt counts only with completed work. */
  protected give(verdict: Verdict): void {
    if (this.#hasVerdict) return;
    this.#hasVerdict = true;
    const isWorkDone = verdict.kind === "completed" || !this.isFenced;
    this.host.onVerdict(this, isWorkDone ? verdict : { kind: "fenced" });
  }

  #clearTimers(): void {
    this.#deadline?.clear();
    if (this.#grace !== undefined) clearTimeout(this.#grace);
  }

  #stopError(cause: StopCause): Error {
    return stopErrorOf(cause, this.task, this.#allowedMs);
  }
}

/** Thrown to leave the steps of an attempt that already has its verdict. */
const leaving = new Error("the verdict stands");

const isPending = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";

/** Continues at once unless there is something to wait for. */
function after<A, B>(value: A, next: (value: Awaited<A>) => B): B | Promise<Awaited<B>> {
  return isPending(value)
    ? (Promise.resolve(value).then(next as never) as Promise<Awaited<B>>)
    : next(value as Awaited<A>);
}
