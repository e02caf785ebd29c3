// An op: one call of durable code that the journal settles. It is opened, gets its number when the window closes, and waits for its delivery.
import { AsyncLocalStorage } from "node:async_hooks";
import type { ErrorClass, StepScope } from "../../domain/step.ts";
import { hashOfText } from "../../domain/text-hash.ts";
import type { Delivery, OpKind } from "../../wire/journal-message.ts";
import { decodeError } from "./stored-error.ts";

/** What an op needs besides its name, depending on its kind. */
export interface OpDetail {
  /** Calls the code of a step. */
  readonly start?: (scope: StepScope) => unknown;
  /** How a step is tried; only its runner knows the type. */
  readonly terms?: unknown;
  /** When a sleep ends. Units: epoch milliseconds */
  readonly deadline?: number;
  /** The inputs of a group of children as JSON, in order. */
  readonly inputs?: readonly string[];
  /** At most this many children of a group are under way at the same time. */
  readonly atOnce?: number;
  /** Whether a group ends with its first failure. */
  readonly failFast?: boolean;
  /** The classes of errors that are recreated as instances. */
  readonly classes?: readonly ErrorClass[];
  /** Turns a stored value into what the code gets; what it throws is thrown into the code. @default JSON */
  readonly read?: (value: string) => unknown;
}

/**
 * `new`: not begun · `open`: a step that executes, or a wait that waits · `due later`: a step that waits for its next attempt · `ended`: the
 * result is not in the journal yet · `closed`: settled, or no longer wanted.
 */
export type OpState = "new" | "open" | "due later" | "ended" | "closed";

export class Op {
  /** The number of the op; -1 until the window closes. Written by {@link Ops}. */
  ordinal = -1;
  readonly kind: OpKind;
  readonly name: string;
  readonly hash: number;
  readonly detail: OpDetail;
  state: OpState = "new";
  /** Failed attempts of a step, and when the next one is due. Written by its runner, and by replay. */
  failures = 0;
  dueAt = 0;
  /** When children were stored, if in this process; 0 if unknown. Written by the turn. Units: epoch milliseconds */
  openedAt = 0;
  /** Stops a step that executes. Written by its runner. */
  abort: ((reason: unknown) => void) | undefined;
  readonly promise: Promise<unknown>;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  /** A step begins later than its call, but in the async context of the call. */
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

  /** Ends the op with a result, which is returned for the journal. */
  end(given: Pick<Delivery, "form" | "time" | "sequence" | "value">): Delivery {
    this.state = "ended";
    const { kind, ordinal, hash, name } = this;
    return { kind, ordinal, hash, name, ...given };
  }

  /** A step has failed and is due again later. */
  postpone(value: string): void {
    const { failures, dueAt } = JSON.parse(value) as { failures: number; dueAt: number };
    this.failures = failures;
    this.dueAt = dueAt;
    this.state = "due later";
  }

  /** Resolves the promise with what is stored. */
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

  /** Forgets the promise's functions, which retain the code that awaits it. */
  letGo(): void {
    this.#resolve = this.#reject = ignore;
    this.abort = undefined;
  }

  /** Closes an op whose result is no longer wanted. Returns whether it was wanted until now. */
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

/** How each promise is closed. Weak, so that an op's promise retains its frame no longer than the user does. */
const closers = new WeakMap<Promise<unknown>, () => boolean>();
/** Promises that lost a race before they had ended: they never will. */
const closedOpen = new WeakSet<Promise<unknown>>();

/** Registers how to close a promise that waits for ops. `close` returns whether all of them were still open. */
export function closable<T>(promise: Promise<T>, close: () => boolean): Promise<T> {
  promise.catch(ignore); // a rejection that nobody awaits must not end the process
  closers.set(promise, close);
  return promise;
}

/** Closes promises. Returns whether all were still open; promises of user code cannot be closed and count as not open. */
export const closeAll = (promises: readonly unknown[]): boolean => promises.map(close).every(Boolean);

function close(promise: unknown): boolean {
  const wasOpen = closers.get(promise as Promise<unknown>)?.() ?? false;
  if (wasOpen) closedOpen.add(promise as Promise<unknown>);
  return wasOpen;
}

/** Whether a promise was closed before it had ended. */
export const isClosed = (promise: Promise<unknown>): boolean => closedOpen.has(promise);

const decoded = (json: string): unknown => (json === "" ? undefined : JSON.parse(json));

const ignore = (): void => {};

/** A stable order for the ops of a window: the order of their calls depends on how many microtasks a JavaScript engine needs for a construct. */
export const byRank = (a: Op, b: Op): number => compare(a.kind, b.kind) || compare(a.name, b.name) || a.hash - b.hash;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const hashedCharacters = 1_024;

/** A hash of arguments, to compare them; made of the first 1,024 characters and the length. */
export function hashOf(args: unknown): number {
  let json: string;
  try {
    json = JSON.stringify(args) ?? "";
  } catch {
    return 0; // what is not JSON cannot be compared
  }
  return hashOfText(json, hashedCharacters);
}
