// What the handlers of a measurement do: nothing, as in the plain scenarios, or what users' handlers do.

export interface Workload {
  /** Each run waits so long for something outside the process, in milliseconds. */
  readonly waitMs?: number;
  /** One run in so many throws in its first attempt and is retried 100 ms later. */
  readonly failOneIn?: number;
  /** Lines a run writes to its log. */
  readonly lines?: number;
  /** The text of the input is sent back. */
  readonly echoes?: boolean;
  /** Input and output are checked against a schema, where the system has such a thing. */
  readonly hasSchema?: boolean;
  /** Runs are spread over so many tasks. @default 1 */
  readonly tasks?: number;
  /** Runs have one of so many priorities, in turn. @default 1 */
  readonly priorities?: number;
  /** Runs are durable and have so many steps, one after the other; the last one does the rest. */
  readonly steps?: number;
  /** Slots of a worker. @default 100 */
  readonly slots?: number;
  /** The workers write the log that they write by default, to nowhere. */
  readonly hasDefaultLog?: boolean;
}

export const retryDelayMs = 100;

/** The names of its tasks. */
export function tasksOf({ tasks = 1 }: Workload): readonly string[] {
  return tasks === 1 ? ["noop"] : Array.from({ length: tasks }, (_, index) => `noop-${index}`);
}

/** A workload as an argument of a process, and back. */
export const workloadArgument = (workload: Workload): string => JSON.stringify(workload);
export const workloadFrom = (argument: string | undefined): Workload =>
  argument === undefined ? {} : (JSON.parse(argument) as Workload);
