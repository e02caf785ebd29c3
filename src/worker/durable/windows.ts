// When code of durable runs executes: from one delivery until its microtasks are drained, one delivery at a time. Only so the order in which
// ops are opened depends on the order of deliveries alone, whatever the code combines its promises with.
import { AsyncLocalStorage } from "node:async_hooks";

/** What is entered: a frame of code. */
export interface Entered<D> {
  /** Makes one delivery; undefined calls the code. */
  enter(delivery: D | undefined): void;
  /** Its microtasks are drained. Returns whether it called code of the user, which is no part of a window. */
  windowClosed(): boolean;
}

/** Most deliveries between two turns of the event loop. */
const burst = 256;

/**
 * Immediates that are asked for in one go run one after the other, each once the microtasks of the one before are drained, and no I/O comes
 * between them. So n deliveries ask for n + 1 of them: the last one only closes. A group is never topped up: something foreign could come
 * between a delivery and its close.
 */
class Windows {
  #due: { entered: Entered<any>; delivery: unknown }[] = [];
  #head = 0;
  readonly #groups: number[] = [];
  /** Deliveries that the groups can make. */
  #booked = 0;
  #current: Entered<any> | undefined;

  /** Whose code executes at this moment; never across a macrotask. */
  get current(): Entered<any> | undefined {
    return this.#current;
  }

  deliver<D>(entered: Entered<D>, deliveries: Iterable<D | undefined>): void {
    for (const delivery of deliveries) this.#due.push({ entered, delivery });
    this.#book();
  }

  #book(): void {
    const missing = Math.min(this.#due.length - this.#head - this.#booked, burst);
    if (missing <= 0) return;
    this.#booked += missing;
    this.#groups.push(missing + 1);
    for (let i = 0; i <= missing; i++) setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    const isLast = --this.#groups[0]! === 0;
    if (isLast) this.#groups.shift();
    else this.#booked -= 1;
    const left = this.#current;
    this.#current = undefined;
    const hasStarted = left?.windowClosed() ?? false;
    if (this.#head === this.#due.length) {
      this.#due = [];
      this.#head = 0;
    } else if (isLast || hasStarted) this.#book();
    else this.#enterNext();
  };

  #enterNext(): void {
    const { entered, delivery } = this.#due[this.#head]!;
    this.#due[this.#head++] = undefined as never; // a frame must not be held by a slot of this array
    this.#current = entered;
    entered.enter(delivery);
  }
}

/** One for all workers of a process, as its event loop is one: two of them know nothing of each other's frames. */
export const windows: Windows = new Windows();

/** Carries what surrounds a call also over its awaits. Small on purpose: a live timer of the user keeps it. */
export interface Surrounding {
  /** The frame; undefined once it is dropped. */
  readonly frame: unknown;
  /** Inside a step. */
  readonly step: unknown;
}
const surrounding = new AsyncLocalStorage<Surrounding>();
export const surroundingOp = (): Surrounding | undefined => surrounding.getStore();
export const insideOf = <T>(store: Surrounding, call: () => T): T => surrounding.run(store, call);
