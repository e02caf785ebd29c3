// Stacks for people: the lines of the user's code, with those of natchet and of the runtime folded into one.

import type { ErrorRecord } from "./error-record.ts";
import { printableLines } from "./printable.ts";

/** This module's own folder tells where natchet lies; in a bundle its lines cannot be told from the user's, and all are shown. */
const own = /^(.*)\/domain\/stack\.[cm]?[jt]s$/.exec(import.meta.url)?.[1]?.replace(/^file:\/\//, "");
const ownFolders = own === undefined ? [] : [`${own}/`, `${own.slice(0, own.lastIndexOf("/"))}/decorators/`];

/** Also of a process on another machine: the package, in whatever folder a package manager keeps it, and what it is made of. */
const packaged =
  /(?:node_modules|registry\.npmjs\.org|jsr\.io)\/(?:natchet|@natchet\/natchet|effect|@effect\/[^/]+|@nats-io\/[^/]+)\//;
/** A frame in a file that does not belong to the runtime. */
const inFile = /(?:^|[\s(])(?:file:\/|https?:\/)?\/[^)]*:\d+/;
const isFrame = /^\s*at /;

const isUsers = (frame: string): boolean =>
  inFile.test(frame) && !packaged.test(frame) && !ownFolders.some((folder) => frame.includes(folder));

/** The frames of the user's code, then how many were folded; empty if none is the user's. */
export function foldStack(stack: string | undefined): string[] {
  const frames = (stack ?? "").split("\n").filter((line) => isFrame.test(line));
  const users = frames.filter(isUsers).map((frame) => `    ${escapeControls(frame.trim())}`);
  const folded = frames.length - users.length;
  if (users.length === 0 || folded === 0) return users;
  return [...users, `    … ${folded} ${folded === 1 ? "line" : "lines"} of natchet`];
}

/** `TypeError: x is undefined`; a plain Error goes by its message. */
export const headlineOf = ({ name, message }: Pick<ErrorRecord, "name" | "message">): string =>
  name === "Error" || name === "" ? message : `${name}: ${message}`;

/** What stands below the headline of an error: its folded stack, the errors inside of it, and what caused it. */
export function errorDetails({ stack, errors = [], cause }: ErrorRecord): string[] {
  const inside = (what: string, error: ErrorRecord) =>
    [`${what} ${escapeControls(headlineOf(error))}`, ...errorDetails(error)].map((line) => `    ${line}`);
  return [
    ...foldStack(stack),
    ...errors.flatMap((error) => inside("with", error)),
    ...(cause === undefined ? [] : inside("caused by", cause)),
  ];
}

/** Safe for a terminal; a line break stays one, indented so that it begins no line of its own. */
export const escapeControls = (text: string): string => printableLines(text).replaceAll("\n", "\n    ");
