// How a process of natchet ends: once, by its own program or by a signal.
import { exitProcess, onStopSignal } from "../runtime/process.ts";

export interface Stoppable {
  /** Closes everything; resolves when nothing is left. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

/** Ties `close` to `stop()` and, if asked, to SIGTERM and SIGINT, which end the process when everything is closed. */
export function makeStoppable(close: () => Promise<void>, listensToSignals: boolean): Stoppable {
  const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<void>();
  const stop = async () => {
    await close();
    ignoreSignals();
    tellStopped();
  };
  const end = () =>
    void stop().then(
      () => exitProcess(0),
      () => exitProcess(1),
    );
  const ignoreSignals = listensToSignals ? onStopSignal(end) : () => {};
  return { stop, stopped };
}
