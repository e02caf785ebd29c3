// When code of durable runs executes: from one delivery until its microtasks are drained, one delivery at a time. Only then does the order in which
// ops are opened depend on the order of deliveries alone, however the code combines its promises.
import { AsyncLocalStorage } from "node:async_hooks";

/** What is entered: a frame of code. */
export interface Entered<D> {
  /** Makes one delivery; undefined calls the code. */
  enter(delivery: D | undefined): void;
  /** Its microtasks are drained. Returns whether it called user code, which is not part of a window. */
  windowClosed(): boolean;
}

/** Most deliveries between two turns of the event loop. */
const burst = 256;

/**
 * Immediates requested together run one after another, each once the microtasks of the previous one are drained, and no I/O comes
 * between them. So n deliveries request n + 1 of them: the last one only closes. A group is never topped up: something foreign could come
 * between a delivery and its close.
 */
class Windows {
  #due: { entered: Entered<any>; delivery: unknown }[] = [];
  #head = 0;
  readonly #groups: number[] = [];
  /** Deliveries that the groups can make. */
  #booked = 0;
  #current: Entered<any> | undefined;

  /** Whose code is executing now; never across a macrotask. */
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
    this.#due[this.#head++] = undefined as never; // this array must not retain a frame
    this.#current = entered;
    entered.enter(delivery);
  }
}

/** One for all workers of a process, as there is one event loop: two would not know each other's frames. */
export const windows: Windows = new Windows();

/** Carries a call's surroundings across its awaits. Small on purpose: a user's live timer retains it. */
export interface Surrounding {
  /** The frame; undefined once it is dropped. */
  readonly frame: unknown;
  /** Inside a step. */
  readonly step: unknown;
}
const surrounding = new AsyncLocalStorage<Surrounding>();
export const surroundingOp = (): Surrounding | undefined => surrounding.getStore();
export const insideOf = <T>(store: Surrounding, call: () => T): T => surrounding.run(store, call);
