// The measured values of a scenario, row by row, as all reports show them.
import type { Results } from "./results.ts";
import type { Metric, Scenario } from "./scenario.ts";
import type { Spread } from "./statistics.ts";
import type { System } from "./system.ts";

export interface RowCell {
  readonly system: System;
  readonly spread: Spread | undefined;
  /** natchet's median divided by that of this peer. */
  readonly ratio: number | undefined;
}

export interface Row {
  readonly metric: Metric;
  readonly cells: readonly RowCell[];
}

/** The metrics that at least one system has. */
export function rowsOf(scenario: Scenario, systems: readonly System[], results: Results): Row[] {
  const shown = systems.filter(({ name }) => results.of(scenario.name, name).length > 0);
  const rows = scenario.metrics.map((metric) => {
    const own = results.spread(scenario.name, "natchet", metric.key)?.median;
    const cells = shown.map((system) => {
      const spread = results.spread(scenario.name, system.name, metric.key);
      const comparable = spread !== undefined && own !== undefined && system.name !== "natchet" && spread.median > 0;
      return { system, spread, ratio: comparable ? own / spread.median : undefined };
    });
    return { metric, cells };
  });
  return rows.filter(({ cells }) => cells.some(({ spread }) => spread !== undefined));
}

export function formatNumber(value: number, { digits = 0 }: Metric): string {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatRatio(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2);
}
