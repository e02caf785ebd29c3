// An attempt: one try at a run, with what it executes, what stops it, and in the end exactly one verdict. Each kind calls its code in its own way.
import type { RunTerms } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import type { WorkerTask } from "../domain/worker.ts";
import type { Vault } from "../sealing/vault.ts";
import { type Assignment, type AssignmentExtra, assignmentExtraOf } from "../wire/assignment.ts";
import type { Batch } from "./batch.ts";
import type { ContextSource } from "./context.ts";
import type { Deadlines } from "./deadline.ts";
import type { Hold } from "./slot-pool.ts";
import type { Voice } from "./transcripts/voice.ts";
import type { StopCause, Verdict } from "./verdict.ts";

/** What all attempts of a worker have in common. */
export interface AttemptHost {
  /** Id of the worker. */
  readonly worker: string;
  readonly graceMs: number;
  /** Absent if encryption is off. */
  readonly vault?: Vault | undefined;
  /** The time now, never before `stampMs`, which the server has stamped. Units: epoch milliseconds */
  readonly nowAfter: (stampMs: number) => number;
  readonly deadlines: Deadlines;
  /** Called when an attempt first produces output. */
  readonly voiceFor: (attempt: Attempt) => Voice;
  /** Whether a run may still be this worker's; asked before code starts that has waited since its run was accepted. @default always */
  readonly mayBegin?: () => boolean;
  /** Called when the code of an attempt begins. */
  readonly onBegin?: (attempt: Attempt) => void;
  /** Called when the code of an attempt has ended and its slot is free. */
  readonly onEnd?: (attempt: Attempt) => void;
  /** Called when an attempt continues without its slot. */
  readonly onSlotless?: () => void;
  /** Called once per attempt, as soon as the verdict stands; user code may still be running. Must not throw. */
  readonly onVerdict: (attempt: Attempt, verdict: Verdict) => void;
}

const noHistory: readonly AttemptRecord[] = [];

export abstract class Attempt implements ContextSource {
  /** Replaced only by the constructor of an attempt whose input is not in it. */
  assignment: Assignment;
  readonly task: WorkerTask;
  /** The batch, if it executes in one call with others. */
  readonly batch: Batch | undefined;
  /** Its slots, while its code runs; undefined while it waits for one. */
  hold: Hold | undefined;
  history: readonly AttemptRecord[];
  /** The history as it is stored: what is sealed stays sealed. */
  readonly storedHistory: readonly AttemptRecord[];
  startedAt = 0;
  isSlotless = false;
  protected readonly host: AttemptHost;
  protected readonly extra: AssignmentExtra | undefined;
  /** What stopped it, if its code has not ended by itself. */
  protected stopped: StopCause | undefined;
  #abortedFor: Error | undefined;
  #controller: AbortController | undefined;
  #voice: Voice | undefined;
  #hasVerdict = false;

  constructor(host: AttemptHost, assignment: Assignment, task: WorkerTask, batch?: Batch, hold?: Hold) {
    this.host = host;
    this.assignment = assignment;
    this.task = task;
    this.batch = batch;
    this.hold = hold;
    this.extra = assignmentExtraOf(assignment);
    this.history = this.extra?.history ?? noHistory;
    this.storedHistory = this.history;
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
  get metadata(): Readonly<Record<string, string>> | undefined {
    return this.extra?.metadata;
  }
  get terms(): RunTerms | undefined {
    return this.extra?.terms;
  }
  get voice(): Voice {
    this.#voice ??= this.host.voiceFor(this);
    return this.#voice;
  }
  /** Its voice; undefined while it has produced no output. */
  get spoken(): Voice | undefined {
    return this.#voice;
  }
  /** Whether its verdict stands; user code may still be running. */
  get isOver(): boolean {
    return this.#hasVerdict;
  }
  /** Whether it may end its run only with completed work. */
  get isFenced(): boolean {
    return this.stopped?.kind === "fenced";
  }
  /** Created on first use: most tasks never need it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortedFor !== undefined) this.#controller.abort(this.#abortedFor);
    }
    return this.#controller.signal;
  }

  /** Takes the slots for which it has waited. */
  occupy(hold: Hold): void {
    this.hold = hold;
    hold.join();
  }

  /** Executes its code. Calls back when that has really ended, whatever the verdict, with an error that natchet itself threw. Never throws. */
  begin(onEnd: (fault?: unknown) => void): void {
    if (this.stopped === undefined) this.host.onBegin?.(this);
    this.execute(onEnd);
  }

  /** Frees its slots, because its code has ended. */
  end(): void {
    this.hold?.leave();
    this.host.onEnd?.(this);
  }

  protected abstract execute(onEnd: (fault?: unknown) => void): void;

  /** Tells its code to end; after the grace period the verdict is given whether it has ended or not. */
  abstract stop(cause: StopCause): void;

  /** Called when the worker is stopping: an attempt that can continue elsewhere does not continue here. */
  leave(): void {}

  /** When its timeout expires, if that was extended. Units: epoch milliseconds */
  get extendedUntil(): number | undefined {
    return undefined;
  }
  extendTimeout(_ms: number): void {}
  releaseSlot(): void {}

  protected abort(reason: Error): void {
    this.#abortedFor = reason;
    this.#controller?.abort(reason);
  }

  /** Gives the verdict; only the first one counts. A fenced attempt counts only with completed work. */
  protected give(verdict: Verdict): void {
    if (this.#hasVerdict) return;
    this.#hasVerdict = true;
    const isWorkDone = verdict.kind === "completed" || !this.isFenced;
    this.host.onVerdict(this, isWorkDone ? verdict : { kind: "fenced" });
  }
}
