// How commands print results: a table for people, JSON for machines. Names given by others go through `printable`.
import { printable, printableJson } from "../domain/printable.ts";
import { toSeconds, zonedTime } from "../domain/time.ts";
import { writeLine } from "../runtime/write-line.ts";
import { CliOutput, Flag } from "./effect-cli.ts";

export type Format = "table" | "json";

export const outputFlag = Flag.Literals("output", ["table", "json"]).pipe(
  Flag.withAlias("o"),
  Flag.withDescription("a table for people or JSON for programs [default: table]"),
  Flag.withDefault("table" as const),
);

type Cell = string | number | undefined;
export type Columns<T> = Readonly<Record<string, (value: T) => Cell>>;

/** Prints rows as a table with these columns, or the values as JSON. */
export function print<T>(values: readonly T[], format: Format, columns: Columns<T>, none: string): void {
  if (format === "json") printJson(values);
  else if (values.length === 0) console.log(none);
  else console.log(formatTable(values, columns, process.stdout.isTTY ? process.stdout.columns : undefined));
}

export const printJson = (value: unknown): void => console.log(printableJson(value, 2));

/** One line for people, whatever names it contains. */
export const tell = (line: string): void => console.log(printable(line));

/** What happened to runs, one line each; shortened on a terminal, where nobody reads ten thousand. */
export function tellKeys(what: string, keys: readonly string[]): void {
  const shown = process.stdout.isTTY && keys.length > mostKeys ? keys.slice(0, mostKeys) : keys;
  for (const key of shown) tell(`${what} ${key}`);
  if (shown.length < keys.length) console.log(`… ${what} ${keys.length} runs`);
}
const mostKeys = 20;

/** The same, on stderr beside the output. */
export const warn = (line: string): void => writeLine(printable(line));

/** Lays out rows in columns; numbers are right-aligned. If a width is given, the widest texts are cut until a row fits. */
export function formatTable<T>(
  values: readonly T[],
  columns: Columns<T>,
  terminalWidth = Number.POSITIVE_INFINITY,
): string {
  const names = Object.keys(columns);
  const rows = values.map((value) => names.map((name) => columns[name]!(value) ?? "-"));
  const isNumber = names.map((_, at) => rows.every((row) => typeof row[at] === "number"));
  const texts = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => row.map((cell) => printable(String(cell)))),
  ];
  const widths = names.map((_, at) => texts.reduce((most, row) => Math.max(most, widthOf(row[at]!)), 0));
  narrow(widths, names, terminalWidth);
  const line = (cells: readonly string[]) =>
    cells
      .map((text, at) => pad(cutToWidth(text, widths[at]!), widths[at]!, isNumber[at]!))
      .join(gap)
      .trimEnd();
  return texts.map(line).join("\n");
}

const gap = "  ";
/** No column gets narrower than this to make room. */
const leastWidth = 8;

/** Shrinks the widest column, again and again, until all fit. */
function narrow(widths: number[], names: readonly string[], available: number): void {
  const least = names.map((name) => Math.max(leastWidth, name.length));
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - available;
  while (excess > 0) {
    const room = widths.map((width, at) => width - least[at]!);
    const widest = room.indexOf(Math.max(...room));
    if (room[widest]! <= 0) return;
    widths[widest]! -= 1;
    excess -= 1;
  }
}

const plain = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns of a terminal: a Chinese character or an emoji takes two. */
const widthOf = (text: string): number => (plain.test(text) ? text.length : CliOutput.displayWidth(text));

function pad(text: string, width: number, isRight: boolean): string {
  const spaces = " ".repeat(Math.max(0, width - widthOf(text)));
  return isRight ? spaces + text : text + spaces;
}

/** At most this many columns; an ellipsis stands for the rest. */
function cutToWidth(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** `2026-11-23T14:05:09+01:00`: as in log lines, and as `--at` takes it. */
export function formatTime(at: number | undefined): string | undefined {
  return at === undefined || at <= 0 ? undefined : toSeconds(zonedTime(at));
}
