// Waits: the runs that callers of this client wait for. Each run is one wait, however many callers it has.
import type { Asked } from "./ask-times.ts";
import type { LongWait } from "./long-waits.ts";

export interface AwaitedRun extends Asked, LongWait {
  readonly key: string;
  readonly waiters: Waiter[];
  /** How many calls are still creating the run. Until they are acknowledged, an engine may rightly not know it. */
  creating: number;
  /** The result was to be asked for while the run was being created, so it is asked for after that. */
  mustAsk: boolean;
  /** Whether the first final outcome in the log counts, if it is conclusive. Otherwise an engine must say which one does. */
  believesLog: boolean;
  /** The outcome was found and is about to be read: asking again would only find it again. */
  isFound: boolean;
  /** Called when the run has ended, which stands for the acknowledgement of its creation. */
  onSeen: ((seq: number) => void) | undefined;
}

interface Waiter {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A wait that can be given up by itself, whoever else waits for the same run. */
export interface Awaited {
  readonly output: Promise<unknown>;
  readonly giveUp: (error: Error) => void;
}

export interface WaitsParts {
  readonly onBegun: (wait: AwaitedRun) => void;
  readonly onOver: (wait: AwaitedRun) => void;
}

export class Waits {
  readonly #parts: WaitsParts;
  readonly #waits = new Map<string, AwaitedRun>();

  constructor(parts: WaitsParts) {
    this.#parts = parts;
  }

  get(key: string): AwaitedRun | undefined {
    return this.#waits.get(key);
  }

  all(): Iterable<AwaitedRun> {
    return this.#waits.values();
  }

  /** One more caller waits for a run. Only the first one's `believesLog` counts. */
  open(key: string, believesLog: boolean): Awaited & { readonly wait: AwaitedRun } {
    const wait = this.#waits.get(key) ?? this.#begin(key, believesLog);
    let giveUp!: (error: Error) => void;
    const output = new Promise<unknown>((resolve, reject) => {
      const waiter = { resolve, reject };
      wait.waiters.push(waiter);
      giveUp = (error) => this.#giveUp(wait, waiter, error);
    });
    return { wait, output, giveUp };
  }

  resolve(wait: AwaitedRun, output: unknown): void {
    for (const waiter of this.#end(wait)) waiter.resolve(output);
  }

  reject(wait: AwaitedRun, error: Error): void {
    for (const waiter of this.#end(wait)) waiter.reject(error);
  }

  rejectAll(errorOf: (wait: AwaitedRun) => Error): void {
    for (const wait of [...this.#waits.values()]) this.reject(wait, errorOf(wait));
  }

  #begin(key: string, believesLog: boolean): AwaitedRun {
    const wait: AwaitedRun = {
      ...{ key, believesLog, waiters: [], creating: 0, mustAsk: false, isFound: false, onSeen: undefined },
      ...{ startedAt: performance.now(), isTold: false, level: 0, dueAt: 0 },
    };
    this.#waits.set(key, wait);
    this.#parts.onBegun(wait);
    return wait;
  }

  #giveUp(wait: AwaitedRun, waiter: Waiter, error: Error): void {
    const at = wait.waiters.indexOf(waiter);
    if (at >= 0) wait.waiters.splice(at, 1);
    if (at >= 0 && wait.waiters.length === 0) this.#end(wait);
    waiter.reject(error);
  }

  /** Ends a wait. Its callers are taken out, so that whoever still lists the wait does not keep them in memory. */
  #end(wait: AwaitedRun): Waiter[] {
    this.#waits.delete(wait.key);
    this.#parts.onOver(wait);
    return wait.waiters.splice(0);
  }
}
