// Prints the totals as tables.
import type { Totals } from "./totals.ts";

export function formatReport(totals: Totals): string {
  const lines = [
    ...table(
      ["licence", "packages", "files", "size"],
      [...totals.licences, { licence: "total", ...totals }].map((row) => [
        row.licence,
        row.packages,
        row.files,
        formatBytes(row.bytes),
      ]),
    ),
    ...section(
      "Manifest and licence file disagree",
      totals.disagreements.map((it) => `${it.path}: declares ${it.declared}, ships ${it.found.join(" + ")}`),
    ),
    ...section(
      "No proof of the licence",
      totals.incomplete.map(
        (it) => `${it.path}: ${it.verdict}${it.declared === null ? "" : ` (declares ${it.declared})`}`,
      ),
    ),
    ...section(
      "Could not be read",
      totals.unreadable.map((it) => `${it.path}: ${it.error}`),
    ),
  ];
  return lines.join("\n");
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title} (${lines.length})`, ...lines.map((line) => `  ${line}`)];
}

// The first column is text, the others are numbers.
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
  );
  const rule = "─".repeat(lines[0]!.length);
  return [lines[0]!, rule, ...lines.slice(1, -1), rule, lines.at(-1)!];
}
