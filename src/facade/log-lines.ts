// Formats log lines: for a person at a terminal, for a file, or as JSON.

import type { ErrorRecord } from "../domain/error-record.ts";
import { cutText, escapeInJson, printable, printableJson } from "../domain/printable.ts";
import { errorDetails, escapeControls, headlineOf } from "../domain/stack.ts";
import { errorRecordOf, isError, readProperty, toText } from "../domain/thrown.ts";
import { zonedTime } from "../domain/time.ts";
import type { LineLevel } from "../domain/transcript.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface LineStyle {
  /** A terminal shows the local time of day; a file is read on another day, and elsewhere. */
  readonly dated: boolean;
  readonly colours: boolean;
}

const colours: Record<LineLevel, string> = { debug: "90", info: "36", warn: "33", error: "31" };
const grey = "90";

/** `16:04:28.584 warn  run failed, will be retried worker=mail run=send-email/01m8`, with the lines of an error below. */
export function textLine(level: LineLevel, message: string, fields: Fields | undefined, style: LineStyle): string {
  const paint = (text: string, colour: string) =>
    style.colours && text !== "" ? `\x1b[${colour}m${text}\x1b[0m` : text;
  const time = style.dated ? zonedTime(Date.now()) : zonedTime(Date.now()).slice(11, 23);
  const head = `${paint(time, grey)} ${paint(level.padEnd(5), colours[level])} ${escapeControls(cutText(message))}`;
  const below = detailsOf(fields).map((line) => `\n${paint(line, grey)}`);
  return `${head}${paint(formatFields(fields), grey)}${below.join("")}`;
}

/** One object: `time`, `level`, `message`, and the fields beside them. */
export function jsonLine(level: LineLevel, message: string, fields: Fields | undefined): string {
  const head = { time: new Date().toISOString(), level, message: cutText(message) };
  if (fields === undefined) return escapeInJson(JSON.stringify(head));
  const beside = Object.entries(fields).map(([name, value]) => [name in head ? `field_${name}` : name, value]);
  try {
    return escapeInJson(JSON.stringify({ ...head, ...Object.fromEntries(beside) }, writable));
  } catch {
    const texts = beside.map(([name, value]) => [name, cutText(toText(value))]);
    return escapeInJson(JSON.stringify({ ...head, ...Object.fromEntries(texts) }));
  }
}

function writable(_name: string, value: unknown): unknown {
  if (typeof value === "string") return cutText(value);
  if (isError(value)) return errorRecordOf(value);
  return typeof value === "bigint" ? String(value) : value;
}

/** ` name=value` for each field. */
export function formatFields(fields: Fields | undefined): string {
  if (fields === undefined) return "";
  let text = "";
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) text += ` ${name}=${typeof value === "string" ? quote(value) : show(value)}`;
  return text;
}

function quote(whole: string): string {
  const text = cutText(whole);
  return /^[^\s"=]+$/.test(text) ? printable(text) : printableJson(text);
}

function show(value: unknown): string {
  if (typeof value === "number") return String(value);
  const error = errorIn(value);
  return error === undefined ? escapeControls(cutText(toText(value))) : quote(headlineOf(error));
}

function detailsOf(fields: Fields = {}): string[] {
  const lines: string[] = [];
  for (const value of Object.values(fields)) {
    const error = errorIn(value);
    if (error !== undefined) lines.push(...errorDetails(error));
  }
  return lines;
}

/** An error, or what was recorded of one. */
function errorIn(value: unknown): ErrorRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isError(value)) return inBounds(errorRecordOf(value));
  const isRecord = ["name", "message"].every((part) => typeof readProperty(value, part) === "string");
  return isRecord ? inBounds(value as ErrorRecord) : undefined;
}

function inBounds({ name, message, stack, cause, errors, ...rest }: ErrorRecord): ErrorRecord {
  return {
    ...rest,
    name: cutText(name),
    message: cutText(message),
    ...(stack !== undefined && { stack: cutText(stack) }),
    ...(cause !== undefined && { cause: inBounds(cause) }),
    ...(errors !== undefined && { errors: errors.map(inBounds) }),
  };
}
