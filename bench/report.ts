// The report of a run: docs/internals/performance.md and the chart beside it.
import { mkdir, writeFile } from "node:fs/promises";
import { arch, cpus, release, totalmem, type } from "node:os";
import { chartOf } from "./chart.ts";
import type { Results } from "./results.ts";
import { faultsOf, formatNumber, formatRange, formatRatio, groupsOf, rowsOf } from "./rows.ts";
import type { Scenario } from "./scenario.ts";
import type { System } from "./system.ts";

export interface Run {
  readonly command: string;
  readonly rounds: number;
  readonly systems: readonly System[];
  readonly versions: ReadonlyMap<string, string>;
  readonly scenarios: readonly Scenario[];
  readonly results: Results;
}

const docs = new URL("../docs/internals/", import.meta.url);

export async function writeReport(run: Run): Promise<void> {
  await mkdir(docs, { recursive: true });
  await writeFile(new URL("performance.md", docs), reportOf(run));
  await writeFile(new URL("performance.svg", docs), chartOf(run.scenarios, run.systems, run.results));
}

function reportOf(run: Run): string {
  return `${[head(run), systemTable(run), ...run.scenarios.map((scenario) => section(scenario, run))].join("\n\n")}\n`;
}

function head({ command, rounds, results }: Run): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const lost = results.all.reduce((sum, each) => sum + each.lost, 0);
  const doubled = results.all.reduce((sum, each) => sum + each.doubled, 0);
  return `# Performance

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}. All systems ran on the same machine in the same run:
in each of the ${rounds} rounds every system had its turn with every scenario, in an order that changes from round to round, on a fresh store, after a
warm-up. The code that enqueues, executes and counts is the same for all. Servers, workers and client share the machine's CPUs.

| | |
|---|---|
| machine | ${cpus().length} CPUs (${cpu?.model.trim() ?? "unknown"}), ${gigabytes} GB, ${type()} ${release()} ${arch()} |
| runtime | ${runtime()}, for clients, workers and natchet's engine |
| payload | 100 bytes of JSON unless said; results of 14 bytes |
| counted | ${results.all.length} measurements, **${lost} runs lost, ${doubled} executed twice** |

Numbers are medians over the rounds, with the least and the greatest. “natchet ÷ it” divides natchet's median by that of the system; where less
is better (milliseconds, CPU), a ratio below 1 is in natchet's favour.

![Throughput and latency of natchet and its peers](performance.svg)`;
}

function runtime(): string {
  return "Bun" in globalThis ? `Bun ${process.versions.bun}` : `Deno ${process.versions["deno"]}`;
}

function systemTable({ systems, versions }: Run): string {
  const rows = systems.map(
    (system) =>
      `| ${system.title} | ${versions.get(system.name)} | ${system.settings}${shareOf(system)} | ${system.durability} |`,
  );
  return ["## The systems", "", "| | versions | settings | durability |", "|---|---|---|---|", ...rows].join("\n");
}

function section(scenario: Scenario, { systems, results }: Run): string {
  const lines = [`## ${scenario.title[0]!.toUpperCase()}${scenario.title.slice(1)}`, "", scenario.about];
  const rows = rowsOf(scenario, systems, results);
  if (rows.length > 0) {
    lines.push(
      "",
      "| | system | on the disk | median | least–greatest | natchet ÷ it |",
      "|---|---|---|---:|---:|---:|",
    );
  }
  for (const { metric, cells } of rows) {
    for (const [index, { system, spread, ratio }] of cells.entries()) {
      const label = index === 0 ? `**${metric.label}**, ${metric.unit}` : "";
      const value = formatNumber(spread?.median, metric);
      const range = formatRange(spread, metric);
      lines.push(`| ${label} | ${system.title} | ${system.onDisk} | ${value} | ${range} | ${formatRatio(ratio)} |`);
    }
  }
  for (const { title, metrics, lines: values } of groupsOf(scenario, systems, results)) {
    lines.push(
      "",
      `| ${title} | ${metrics.map(({ label }) => label).join(" | ")} |`,
      `|---|${"---:|".repeat(metrics.length)}`,
    );
    for (const { system, medians } of values) {
      const cells = medians.map((median, index) => formatNumber(median, metrics[index]!));
      lines.push(`| ${system.title} | ${cells.join(" | ")} |`);
    }
  }
  for (const system of systems) {
    const { lost, doubled } = faultsOf(scenario, system, results);
    if (lost + doubled > 0) lines.push("", `**${system.title}: ${lost} runs lost, ${doubled} executed twice.**`);
  }
  return lines.join("\n");
}

const shareOf = ({ share }: Pick<System, "share">): string =>
  share === undefined ? "" : `; given ${share * 100} % of the runs of the long measurements`;
