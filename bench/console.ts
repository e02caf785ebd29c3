// The table of one scenario for a terminal.
import type { Results } from "./results.ts";
import { formatNumber, formatRatio, rowsOf } from "./rows.ts";
import type { Scenario } from "./scenario.ts";
import type { System } from "./system.ts";

export function consoleTable(scenario: Scenario, systems: readonly System[], results: Results): string {
  const lines = [scenario.title];
  for (const { metric, cells } of rowsOf(scenario, systems, results)) {
    for (const [index, { system, spread, ratio }] of cells.entries()) {
      const label = index === 0 ? `${metric.label}, ${metric.unit}` : "";
      const value = spread === undefined ? "—" : formatNumber(spread.median, metric);
      const range =
        spread === undefined ? "" : `${formatNumber(spread.min, metric)}–${formatNumber(spread.max, metric)}`;
      const compared = ratio === undefined ? "" : `natchet is ${formatRatio(ratio)}×`;
      lines.push(
        `  ${label.padEnd(30)} ${system.title.padEnd(26)} ${value.padStart(9)}  ${range.padEnd(20)} ${compared}`,
      );
    }
  }
  for (const system of systems) {
    const measured = results.of(scenario.name, system.name);
    const lost = measured.reduce((sum, each) => sum + each.lost, 0);
    const doubled = measured.reduce((sum, each) => sum + each.doubled, 0);
    if (lost + doubled > 0) lines.push(`  ${system.title}: ${lost} LOST, ${doubled} EXECUTED TWICE`);
  }
  return lines.join("\n");
}
