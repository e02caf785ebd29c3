// The table of one scenario for a terminal.
import type { Results } from "./results.ts";
import { faultsOf, formatNumber, formatRange, formatRatio, groupsOf, rowsOf } from "./rows.ts";
import type { Scenario } from "./scenario.ts";
import type { System } from "./system.ts";

const nameWidth = 26;

export function consoleTable(scenario: Scenario, systems: readonly System[], results: Results): string {
  const lines = [scenario.title];
  for (const { metric, cells } of rowsOf(scenario, systems, results)) {
    lines.push(`  ${metric.label}, ${metric.unit}`);
    for (const { system, spread, ratio } of cells) {
      const value = formatNumber(spread?.median, metric).padStart(10);
      const compared = ratio === undefined ? "" : `natchet ÷ it ${formatRatio(ratio)}`;
      lines.push(`    ${nameOf(system)}${value}  ${formatRange(spread, metric).padEnd(18)} ${compared}`.trimEnd());
    }
  }
  for (const { title, metrics, lines: values } of groupsOf(scenario, systems, results)) {
    lines.push(`  ${title.padEnd(nameWidth + 2)}${metrics.map(({ label }) => label.padStart(15)).join("")}`);
    for (const { system, medians } of values) {
      const cells = medians.map((median, index) => formatNumber(median, metrics[index]!).padStart(15));
      lines.push(`    ${nameOf(system)}${cells.join("")}`);
    }
  }
  for (const system of systems) {
    const { lost, doubled } = faultsOf(scenario, system, results);
    if (lost + doubled > 0) lines.push(`  ${system.title}: ${lost} LOST, ${doubled} EXECUTED TWICE`);
  }
  return lines.join("\n");
}

const nameOf = (system: System) => system.title.padEnd(nameWidth);
