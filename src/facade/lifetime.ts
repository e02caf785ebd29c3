// How a natchet process ends: once, by its own program or by a signal, whatever it is doing at that moment.
import type * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { exitProcess, onStopSignal } from "../runtime/process.ts";
import { type OpenScope, openScope } from "./running-scope.ts";
import type { Stoppable } from "./stoppable.ts";

/**
 * From its creation on, SIGTERM, SIGINT and SIGHUP (if `listensToSignals`) close what is open, or is being opened, and end the process. Without
 * a listener, the first process of a container ignores these signals.
 */
export class Lifetime {
  readonly #starting = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #ignoreSignals: () => void;
  #opening: Promise<OpenScope<unknown>> | undefined;
  #isEnding = false;

  constructor(listensToSignals: boolean) {
    this.#ignoreSignals = listensToSignals ? onStopSignal(() => this.end(0)) : () => {};
  }

  /** Opens the contents of this lifetime; if that fails, everything that was opened is closed. Never resolves once the process is ending. */
  async open<T>(build: Effect.Effect<T, unknown, Scope.Scope>): Promise<T> {
    const opening = openScope(build, this.#starting.signal);
    this.#opening = opening;
    return this.attempt(async () => (await opening).value);
  }

  /** Runs a step of the start. If it fails, this lifetime no longer listens to signals. */
  async attempt<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (this.#isEnding) return new Promise(() => {}); // the process is about to end
      this.#ignoreSignals();
      throw error;
    }
  }

  /** What the user gets, once everything is open. */
  get stoppable(): Stoppable {
    return { stop: () => this.#stop(), stopped: this.#stopped.promise };
  }

  async #stop(): Promise<void> {
    const open = await this.#opening?.catch(() => undefined); // if the opening failed, nothing is open
    await open?.close();
    this.#ignoreSignals();
    this.#stopped.resolve();
  }

  /** Closes what is open, then ends the process; only the first call counts. */
  end(code: number): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#starting.abort();
    void this.#stop().then(
      () => exitProcess(code),
      () => exitProcess(1),
    );
  }
}
