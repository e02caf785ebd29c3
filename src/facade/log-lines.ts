// How a line of the log is written: for a person at a terminal, for a file, or as JSON for machines.
import type { ErrorRecord } from "../domain/run.ts";
import { errorDetails, escapeControls, headlineOf } from "../domain/stack.ts";
import { errorRecordOf, isError, readProperty, toText } from "../domain/thrown.ts";

type Fields = Readonly<Record<string, unknown>>;
export type LineLevel = "debug" | "info" | "warn" | "error";

export interface LineStyle {
  /** A terminal shows when it happened on its own clock; a file is read on another day, and elsewhere. */
  readonly dated: boolean;
  readonly colours: boolean;
}

const colours: Record<LineLevel, string> = { debug: "90", info: "36", warn: "33", error: "31" };
const grey = "90";

/** `16:04:28.584 warn  run failed, will be retried worker=mail run=send-email/01m8`, with the lines of an error below. */
export function textLine(level: LineLevel, message: string, fields: Fields | undefined, style: LineStyle): string {
  const paint = (text: string, colour: string) =>
    style.colours && text !== "" ? `\x1b[${colour}m${text}\x1b[0m` : text;
  const time = timeOf(new Date(), style.dated);
  const head = `${paint(time, grey)} ${paint(level.padEnd(5), colours[level])} ${escapeControls(message)}`;
  const below = detailsOf(fields).map((line) => `\n${paint(line, grey)}`);
  return `${head}${paint(formatFields(fields), grey)}${below.join("")}`;
}

/** One object: `time`, `level`, `message`, and the fields beside them. */
export function jsonLine(level: LineLevel, message: string, fields: Fields | undefined): string {
  const head = { time: new Date().toISOString(), level, message };
  if (fields === undefined) return JSON.stringify(head);
  const beside = Object.entries(fields).map(([name, value]) => [name in head ? `field_${name}` : name, value]);
  try {
    return JSON.stringify({ ...head, ...Object.fromEntries(beside) }, writable);
  } catch {
    const texts = beside.map(([name, value]) => [name, toText(value)]);
    return JSON.stringify({ ...head, ...Object.fromEntries(texts) });
  }
}

function writable(_name: string, value: unknown): unknown {
  if (isError(value)) return errorRecordOf(value);
  return typeof value === "bigint" ? String(value) : value;
}

/** ` name=value` for each field. */
export function formatFields(fields: Fields | undefined): string {
  if (fields === undefined) return "";
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined);
  return parts.map(([name, value]) => ` ${name}=${typeof value === "string" ? quote(value) : show(value)}`).join("");
}

const quote = (text: string): string =>
  /^[^\s"=\p{Cc}]+$/u.test(text) ? text : escapeControls(JSON.stringify(text).replace(/\n/g, "\\n"));

function show(value: unknown): string {
  const error = errorIn(value);
  return error === undefined ? escapeControls(toText(value)) : quote(headlineOf(error));
}

const detailsOf = (fields: Fields | undefined): string[] =>
  fields === undefined
    ? []
    : Object.values(fields).flatMap((value) => {
        const error = errorIn(value);
        return error === undefined ? [] : errorDetails(error);
      });

/** An error, or what was recorded of one. */
function errorIn(value: unknown): ErrorRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isError(value)) return errorRecordOf(value);
  const isRecord = ["name", "message"].every((part) => typeof readProperty(value, part) === "string");
  return isRecord ? (value as ErrorRecord) : undefined;
}

function timeOf(now: Date, dated: boolean): string {
  const offset = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + offset * 60_000).toISOString();
  if (!dated) return local.slice(11, 23);
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const zone = `${offset < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
  return local.slice(0, 23) + zone;
}
