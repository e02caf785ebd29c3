// The measured values of a scenario as the reports show them: rows with spread and ratio, and groups of values in one table.
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

export interface Group {
  readonly title: string;
  /** Those that at least one system has. */
  readonly metrics: readonly Metric[];
  readonly lines: readonly { readonly system: System; readonly medians: readonly (number | undefined)[] }[];
}

/** The metrics outside of groups that at least one system has. */
export function rowsOf(scenario: Scenario, systems: readonly System[], results: Results): Row[] {
  const shown = shownIn(scenario, systems, results);
  const rows = scenario.metrics.map((metric) => {
    const own = results.spread(scenario.name, "natchet", metric.key)?.median;
    const cells = shown.map((system) => {
      const spread = results.spread(scenario.name, system.name, metric.key);
      const isCompared = system.name !== "natchet" && !metric.isGiven;
      const comparable = isCompared && spread !== undefined && own !== undefined && spread.median > 0;
      return { system, spread, ratio: comparable ? own / spread.median : undefined };
    });
    return { metric, cells };
  });
  return rows.filter(({ metric, cells }) => metric.group === undefined && cells.some(({ spread }) => spread));
}

export function groupsOf(scenario: Scenario, systems: readonly System[], results: Results): Group[] {
  const shown = shownIn(scenario, systems, results);
  const median = (system: System, { key }: Metric) => results.spread(scenario.name, system.name, key)?.median;
  const titles = new Set(scenario.metrics.flatMap(({ group }) => group ?? []));
  return Array.from(titles, (title) => {
    const metrics = scenario.metrics.filter(
      (metric) => metric.group === title && shown.some((system) => median(system, metric) !== undefined),
    );
    return {
      title,
      metrics,
      lines: shown.map((system) => ({ system, medians: metrics.map((each) => median(system, each)) })),
    };
  }).filter(({ metrics }) => metrics.length > 0);
}

function shownIn(scenario: Scenario, systems: readonly System[], results: Results): readonly System[] {
  return systems.filter(({ name }) => results.of(scenario.name, name).length > 0);
}

/** Of all rounds. */
export function faultsOf(scenario: Scenario, system: System, results: Results): { lost: number; doubled: number } {
  const measured = results.of(scenario.name, system.name);
  return {
    lost: measured.reduce((sum, each) => sum + each.lost, 0),
    doubled: measured.reduce((sum, each) => sum + each.doubled, 0),
  };
}

export function formatNumber(value: number | undefined, { digits = 0 }: Metric): string {
  if (value === undefined) return "—";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatRange(spread: Spread | undefined, metric: Metric): string {
  if (spread === undefined || spread.min === spread.max) return "";
  return `${formatNumber(spread.min, metric)}–${formatNumber(spread.max, metric)}`;
}

export function formatRatio(ratio: number | undefined): string {
  if (ratio === undefined) return "";
  return ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2);
}
