// The chart of the report: a panel of bars for each of the main numbers, as SVG that follows the light or dark mode of its reader.
import type { Results } from "./results.ts";
import { formatNumber } from "./rows.ts";
import type { Scenario } from "./scenario.ts";
import type { Spread } from "./statistics.ts";
import type { System } from "./system.ts";

const panels = [
  { scenario: "enqueue", metric: "rate", note: "runs/s, more is better" },
  { scenario: "backlog", metric: "fill", note: "runs/s, more is better" },
  { scenario: "backlog", metric: "drain", note: "runs/s, more is better" },
  { scenario: "at-once", metric: "rate", note: "runs/s, more is better" },
  { scenario: "latency", metric: "start.p50", note: "one at a time, ms, less is better" },
  { scenario: "latency-equal", metric: "start.p99", note: "at the same load for all, ms, less is better" },
] as const;

const columns = 2;
const width = { panel: 420, gap: 40, names: 150, value: 62 };
const bar = { height: 14, step: 22 };
const headHeight = 46;
const margin = 20;

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 13px; }
  .note, .peer-name { fill: #59636e; }
  .own { fill: #0969da; }
  .variant { fill: #80b3f0; }
  .peer { fill: #afb8c1; }
  .spread { stroke: #1f2328; stroke-width: 1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .note, .peer-name { fill: #9198a1; }
    .own { fill: #4493f8; }
    .variant { fill: #1f4f8f; }
    .peer { fill: #4d555e; }
    .spread { stroke: #e6edf3; }
  }`;

export function chartOf(scenarios: readonly Scenario[], systems: readonly System[], results: Results): string {
  const shown = panels.filter(({ scenario }) => scenarios.some(({ name }) => name === scenario));
  const panelHeight = headHeight + systems.length * bar.step + margin;
  const rows = Math.ceil(shown.length / columns);
  const total = {
    width: 2 * margin + columns * width.panel + (columns - 1) * width.gap,
    height: margin + rows * panelHeight,
  };
  const drawn = shown.map((panel, index) => {
    const x = margin + (index % columns) * (width.panel + width.gap);
    const y = margin + Math.floor(index / columns) * panelHeight;
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, scenarios, systems, results)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total.width} ${total.height}" role="img" aria-label="Throughput and latency of natchet and its peers">
<style>${style}
</style>
${drawn.join("\n")}
</svg>
`;
}

function drawPanel(
  { scenario, metric: key, note }: (typeof panels)[number],
  scenarios: readonly Scenario[],
  systems: readonly System[],
  results: Results,
): string {
  const metric = scenarios.find(({ name }) => name === scenario)!.metrics.find((each) => each.key === key)!;
  const spreads = systems.map(({ name }) => results.spread(scenario, name, key));
  const most = Math.max(...spreads.map((spread) => spread?.max ?? 0));
  const scale = (value: number) => (value / most) * (width.panel - width.names - width.value);
  const lines = systems.map((system, index) => {
    const y = headHeight + index * bar.step;
    const name = `<text class="${system.isPeer ? "peer-name" : ""}" x="0" y="${y + 11}">${system.title}</text>`;
    return name + drawBar(spreads[index], y, barClass(system), scale, (value) => formatNumber(value, metric));
  });
  const title = `<text class="title" x="0" y="12">${capital(metric.label)}</text>`;
  return `${title}<text class="note" x="0" y="30">${note}</text>${lines.join("")}`;
}

function drawBar(
  spread: Spread | undefined,
  y: number,
  kind: string,
  scale: (value: number) => number,
  format: (value: number | undefined) => string,
): string {
  const length = scale(spread?.median ?? 0);
  const end = scale(spread?.max ?? 0);
  const value = `<text x="${round(width.names + end + 6)}" y="${y + 11}">${format(spread?.median)}</text>`;
  if (spread === undefined) return value;
  const middle = y + bar.height / 2;
  const from = round(width.names + scale(spread.min));
  const range = `<line class="spread" x1="${from}" x2="${round(width.names + end)}" y1="${middle}" y2="${middle}"/>`;
  const filled = `<rect class="${kind}" x="${width.names}" y="${y}" width="${round(length)}" height="${bar.height}" rx="2"/>`;
  return `${filled}${range}${value}`;
}

function barClass(system: System): string {
  if (system.isPeer) return "peer";
  return system.name === "natchet" ? "own" : "variant";
}

const round = (value: number) => Math.round(value * 10) / 10;
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);
