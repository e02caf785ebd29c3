// A system under test, as the benchmark sees it.

export interface System {
  readonly name: string;
  readonly title: string;
  readonly isPeer: boolean;
  /** Measured only when it is asked for by name. */
  readonly isOptional?: boolean;
  /** The file of its {@link Adapter}. */
  readonly adapter: string;
  /** The part of the runs of the long measurements that it is given, where all of them would take minutes. @default 1 */
  readonly share?: number;
  /** What was set, in one sentence; written beside the numbers. */
  readonly settings: string;
  /** When an acknowledged run is on the disk, in a few words. */
  readonly onDisk: string;
  /** What an acknowledged run survives, in one sentence. */
  readonly durability: string;
  /** Whether a caller can wait for the result of a run. */
  readonly offersResults: boolean;
  /** Whether its adapter does what a workload says. */
  readonly takesWorkloads?: boolean;
  /** Whether its adapter takes workloads with steps, beside others or alone. */
  readonly steps?: "too" | "only";
  /** Makes sure that all it needs is there and tells the versions; fails with the reason why it cannot be measured. */
  prepare(): Promise<string>;
  /** Starts its servers on a fresh store. */
  start(): Promise<Stand>;
}

/** The running servers of a system. */
export interface Stand {
  readonly url: string;
  /** The server processes by the name of their part. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}
