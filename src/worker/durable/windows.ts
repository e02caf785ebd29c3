// Windows: the times in which code of durable runs executes. A window opens with one delivery, closes when its microtasks are drained, and no
// two overlap. So the order in which ops are opened depends only on the order of deliveries, however the code combines its promises.
import { AsyncLocalStorage } from "node:async_hooks";

/** What is entered: a frame of code. */
export interface Entered<D> {
  /** Makes one delivery; undefined calls the code. */
  enter(delivery: D | undefined): void;
  /** The microtasks of the delivery are drained. Returns whether user code was called that is not part of a window, such as a step. */
  windowClosed(): boolean;
}

/** Most deliveries between two turns of the event loop. */
const burst = 256;

/**
 * Immediates that are requested together run one after another, each after the microtasks of the one before, and with no I/O in between. So a
 * group of n deliveries requests n + 1 immediates: the last one only closes a window. Nothing is added to a group later: other code could then
 * run between a delivery and the end of its window.
 */
class Windows {
  #due: { entered: Entered<any>; delivery: unknown }[] = [];
  #head = 0;
  readonly #groups: number[] = [];
  /** How many deliveries the requested immediates can make. */
  #booked = 0;
  #current: Entered<any> | undefined;

  /** The frame whose code is executing now; never across a macrotask. */
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

/** One for all workers of a process, because they share one event loop: two would not know of each other's windows. */
export const windows: Windows = new Windows();

/** Carries what surrounds a call across its awaits. Small on purpose: a timer of the user retains it. */
export interface Surrounding {
  /** The frame; undefined once it is dropped. */
  readonly frame: unknown;
  /** The step; undefined outside of steps. */
  readonly step: unknown;
}
const surrounding = new AsyncLocalStorage<Surrounding>();
export const surroundingOp = (): Surrounding | undefined => surrounding.getStore();
export const insideOf = <T>(store: Surrounding, call: () => T): T => surrounding.run(store, call);
