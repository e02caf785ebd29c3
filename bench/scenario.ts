// A scenario: written once, measured the same way on every system.
import type { Cell } from "./cell.ts";
import type { Workload } from "./workload.ts";

export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  /** Digits after the point. */
  readonly digits?: number;
  /** Metrics with the same group share a table, without spread and ratio; `label` is then the head of a column. */
  readonly group?: string;
  /** A condition of the measurement, not its outcome: it is not compared. */
  readonly isGiven?: boolean;
}

export type Values = Record<string, number>;

export interface Context {
  /** Whether this is the short run. */
  readonly once: boolean;
  /** The median of what was measured so far; undefined when it was not. */
  measured(scenario: string, system: string, metric: string): number | undefined;
  /** The systems of this run. */
  readonly systems: readonly string[];
  readonly system: string;
}

export interface Scenario {
  readonly name: string;
  /** Asked for by this name with others. */
  readonly set?: string;
  readonly title: string;
  /** What is measured and from when to when, in a sentence or two. */
  readonly about: string;
  readonly metrics: readonly Metric[];
  /** Another scenario whose results this one needs. */
  readonly needs?: string;
  readonly only?: string;
  /** What its handlers do; only systems that take workloads are measured with it. @default nothing */
  readonly workload?: Workload;

  /** Left out of a short run that does not ask for it. */
  readonly isLong?: boolean;
  /** Measured only when it is asked for by its own name. */
  readonly isOptional?: boolean;
  /** Rounds beyond this add nothing. */
  readonly maxRounds?: number;
  measure(cell: Cell, context: Context): Promise<Values>;
}

export const runsPerSecond = (key: string, label: string): Metric => ({ key, label, unit: "runs/s" });

const cpu = (part: string, label: string): Metric => ({
  key: `cpu.${part}`,
  label,
  unit: "µs",
  digits: 1,
  group: "CPU µs a run",
});

export const cpuMetrics: readonly Metric[] = [
  cpu("total", "all processes"),
  cpu("server", "server"),
  cpu("engine", "engine"),
  cpu("worker", "workers"),
  cpu("client", "client"),
];

/** The CPU time of each kind of process between two readings, in microseconds a run. */
export function cpuARun(before: Values, after: Values, runs: number): Values {
  const values: Values = {};
  let total = 0;
  for (const [part, ms] of Object.entries(after)) {
    const used = ms - (before[part] ?? 0);
    values[`cpu.${part}`] = (used * 1_000) / runs;
    total += used;
  }
  return { ...values, "cpu.total": (total * 1_000) / runs };
}
