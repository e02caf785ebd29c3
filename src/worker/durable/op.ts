// One call of durable code, settled by the journal: it is opened, gets its number when the window closes, and waits for its delivery.
import { AsyncLocalStorage } from "node:async_hooks";
import type { ErrorClass, StepScope } from "../../domain/step.ts";
import { hashOfText } from "../../domain/text-hash.ts";
import type { Delivery, OpKind } from "../../wire/journal-message.ts";
import { decodeError } from "./stored-error.ts";

/** What its kind needs besides the name. */
export interface OpDetail {
  /** Calls the code of a step. */
  readonly start?: (scope: StepScope) => unknown;
  /** How a step is tried; as its runner reads it. */
  readonly terms?: unknown;
  /** When a sleep ends. Units: epoch milliseconds */
  readonly deadline?: number;
  /** Of a group of children: their inputs as JSON, in order. */
  readonly inputs?: readonly string[];
  /** Of a group: at most this many are started at once. */
  readonly atOnce?: number;
  /** Of a group: it ends with the first failure. */
  readonly failFast?: boolean;
  /** Errors that come back as instances. */
  readonly classes?: readonly ErrorClass[];
  /** Turns a stored value into what the code gets; what it throws is thrown into the code. @default JSON */
  readonly read?: (value: string) => unknown;
}

/**
 * `new`: not begun · `open`: a step executes, or a wait waits · `due later`: a step waits for its next attempt · `ended`: what it gave is not
 * in the journal yet · `closed`: no longer wanted.
 */
export type OpState = "new" | "open" | "due later" | "ended" | "closed";

export class Op {
  /** -1 until the window closes. Written by the frame. */
  ordinal = -1;
  readonly kind: OpKind;
  readonly name: string;
  readonly hash: number;
  readonly detail: OpDetail;
  state: OpState = "new";
  /** Failed attempts of a step, and when the next one is due. Written by its runner, and by replay. */
  failures = 0;
  dueAt = 0;
  /** Of children that were created in this process. Units: epoch milliseconds; 0: unknown. Written by the turn. */
  openedAt = 0;
  /** Stops a step that executes. Written by its runner. */
  abort: ((reason: unknown) => void) | undefined;
  readonly promise: Promise<unknown>;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  /** A step begins later, in the context of its call. */
  readonly inContext: (<T>(call: () => T) => T) | undefined;

  constructor(kind: OpKind, name: string, hash: number, detail: OpDetail) {
    this.kind = kind;
    this.name = name;
    this.hash = hash;
    this.detail = detail;
    this.inContext = detail.start && (AsyncLocalStorage.snapshot() as <T>(call: () => T) => T);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    closable(this.promise, () => this.#close());
  }

  get isWait(): boolean {
    return this.kind !== "step";
  }

  /** It has got something, for the journal. */
  end(given: Pick<Delivery, "form" | "time" | "sequence" | "value">): Delivery {
    this.state = "ended";
    const { kind, ordinal, hash, name } = this;
    return { kind, ordinal, hash, name, ...given };
  }

  /** A step failed and is due again later: its runner knows when, and only the number of failures matters to a replay. */
  postpone(value: string): void {
    const { failures, dueAt } = JSON.parse(value) as { failures: number; dueAt: number };
    this.failures = failures;
    this.dueAt = dueAt;
    this.state = "due later";
  }

  /** Gives the code what is stored. */
  give(value: string): void {
    const { read = decoded } = this.detail;
    try {
      this.#resolve(read(value));
    } catch (error) {
      this.#reject(error);
    }
    this.letGo();
  }

  fail(error: string): void {
    this.#reject(decodeError(error, this.detail.classes));
    this.letGo();
  }

  /** Releases whoever awaits it. */
  letGo(): void {
    this.#resolve = this.#reject = ignore;
    this.abort = undefined;
  }

  /** Its result is no longer wanted. Returns whether it was until now. */
  #close(): boolean {
    if (this.state === "closed") return false;
    this.state = "closed";
    const reason = new Error("nobody waits for it any more");
    reason.name = "AbortError";
    this.abort?.(reason);
    this.letGo();
    return true;
  }
}

/** What closes a promise. Weak, so that an op's promise retains its frame no longer than the user does. */
const closers = new WeakMap<Promise<unknown>, () => boolean>();
/** Lost a race before they had ended: they never will. */
const closedOpen = new WeakSet<Promise<unknown>>();

/** For a promise that waits for ops: `close` closes them, and returns whether all of them were still open. */
export function closable<T>(promise: Promise<T>, close: () => boolean): Promise<T> {
  promise.catch(ignore); // one that nobody awaits must not end the process
  closers.set(promise, close);
  return promise;
}

/** Returns whether all were still open. Promises made by user code are not, and nothing closes them. */
export const closeAll = (promises: readonly unknown[]): boolean => promises.map(close).every(Boolean);

function close(promise: unknown): boolean {
  const wasOpen = closers.get(promise as Promise<unknown>)?.() ?? false;
  if (wasOpen) closedOpen.add(promise as Promise<unknown>);
  return wasOpen;
}

/** Whether it was closed before it had ended. */
export const isClosed = (promise: Promise<unknown>): boolean => closedOpen.has(promise);

const decoded = (json: string): unknown => (json === "" ? undefined : JSON.parse(json));

const ignore = (): void => {};

/** JavaScript engines differ in how many microtasks a construct takes, so the order of calls within a window is unreliable. */
export const byRank = (a: Op, b: Op): number => compare(a.kind, b.kind) || compare(a.name, b.name) || a.hash - b.hash;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const hashedCharacters = 1_024;

/** Hash of arguments, only for comparing. The first 1,024 characters and the length decide. */
export function hashOf(args: unknown): number {
  let json: string;
  try {
    json = JSON.stringify(args) ?? "";
  } catch {
    return 0; // not JSON: nothing that could be compared
  }
  return hashOfText(json, hashedCharacters);
}
