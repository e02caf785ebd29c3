// Log lines of a process: one line an event, fields as key=value, on stderr.
import type { Log } from "../domain/log.ts";
import { isError, toText } from "../domain/thrown.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
type Fields = Readonly<Record<string, unknown>>;

/** Writes lines of at least `level` to stderr, so that a program's own output stays its own. */
export function makeLog(level: LogLevel, write: (line: string) => void = (line) => console.error(line)): Log {
  const least = logLevels.indexOf(level);
  const at = (name: Exclude<LogLevel, "silent">) =>
    logLevels.indexOf(name) < least
      ? () => {}
      : (message: string, fields?: Fields) =>
          write(`${new Date().toISOString().slice(11, 23)} ${name.padEnd(5)} ${message}${formatFields(fields)}`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** ` name=value` for each field. */
export function formatFields(fields: Fields | undefined): string {
  if (fields === undefined) return "";
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined);
  return parts.map(([name, value]) => ` ${name}=${typeof value === "string" ? quote(value) : show(value)}`).join("");
}

const quote = (text: string): string => (/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text));

function show(value: unknown): string {
  if (isError(value)) return JSON.stringify(toText(value));
  return toText(value);
}
