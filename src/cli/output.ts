// How commands print what they found: a table for people, JSON for machines.
import { Flag } from "./effect-cli.ts";

export type Format = "table" | "json";

export const outputFlag = Flag.Literals("output", ["table", "json"]).pipe(
  Flag.withAlias("o"),
  Flag.withDescription("table, or json for machines"),
  Flag.withDefault("table" as const),
);

type Cell = string | number | undefined;

/** Prints rows as a table with these columns, or the values as they are as JSON. */
export function print<T>(
  values: readonly T[],
  format: Format,
  columns: Readonly<Record<string, (value: T) => Cell>>,
  none: string,
): void {
  if (format === "json") console.log(JSON.stringify(values, undefined, 2));
  else console.log(values.length === 0 ? none : formatTable(values, columns));
}

/** Lays out rows in columns; numbers stand to the right. */
export function formatTable<T>(values: readonly T[], columns: Readonly<Record<string, (value: T) => Cell>>): string {
  const names = Object.keys(columns);
  const rows = values.map((value) => names.map((name) => columns[name]!(value) ?? "-"));
  const isNumber = names.map((_, at) => rows.every((row) => typeof row[at] === "number"));
  const widths = names.map((name, at) => Math.max(name.length, ...rows.map((row) => String(row[at]).length)));
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, at) => (isNumber[at] ? String(cell).padStart(widths[at]!) : String(cell).padEnd(widths[at]!)))
      .join("  ")
      .trimEnd();
  return [line(names.map((name) => name.toUpperCase())), ...rows.map(line)].join("\n");
}

/** `2026-11-23 14:05:09`, in local time. */
export function formatTime(at: number | undefined): string | undefined {
  if (at === undefined || at === 0) return undefined;
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}
