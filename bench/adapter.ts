// What a system must offer to the client and worker processes of the benchmark; everything else is the same code for all systems.
import { pathToFileURL } from "node:url";
import type { Workload } from "./workload.ts";

/** The payload of a run. `n` counts the runs of one measurement; `sent` is a time in whole microseconds. */
export interface Input {
  readonly n: number;
  readonly sent: number;
  readonly text: string;
}

export interface Output {
  readonly n: number;
  /** That of the input, where the workload says so. */
  readonly text?: string;
}

export interface BenchClient {
  /** Stores one run; resolves when the store has acknowledged it. */
  add(input: Input): Promise<unknown>;
  /** Stores many with the bulk call of the system. */
  addMany(inputs: readonly Input[]): Promise<unknown>;
  /** Stores many that are due at a time, in epoch milliseconds. */
  addDelayed(inputs: readonly Input[], due: number): Promise<unknown>;
  /** Stores one and waits for its output; absent where a system offers no results. */
  run?(input: Input): Promise<Output>;
  /** How many runs are stored and not finished. */
  unfinished(): Promise<number>;
  close(): Promise<unknown>;
}

export interface BenchWorker {
  stop(): Promise<unknown>;
}

/** What a handler knows beside its input. */
export interface Attempt {
  /** From 1. */
  readonly attempt: number;
  /** Writes a line to the log of the run. */
  log(line: string): unknown;
}

export type Handle = (input: Input, attempt: Attempt) => Promise<Output>;

export interface Adapter {
  /** `url` says where the system's server is. */
  connect(url: string, workload: Workload): Promise<BenchClient>;
  /** Resolves when the worker takes runs. */
  work(url: string, slots: number, handle: Handle, workload: Workload): Promise<BenchWorker>;
}

/** Loads an adapter by the path of its file: the packages of a peer are needed only where it is measured. */
export async function loadAdapter(path: string): Promise<Adapter> {
  return ((await import(pathToFileURL(path).href)) as { adapter: Adapter }).adapter;
}

/** Epoch milliseconds with fractions, comparable between processes of one machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
