// Where a client hears how its runs ended: subjects under one name, so that it is known who speaks.
import { randomToken } from "../domain/random-token.ts";

export interface ResultInbox {
  /** What the engine says of runs that the client asks for, or that have ids of the caller's. */
  readonly asked: string;
  /** What the engine says of runs under ids that the client made. Who names it in a run entry hears {@link log} as well. */
  readonly made: string;
  /** What the log says of those: the server sends a copy of an outcome entry here as soon as it is stored. */
  readonly log: string;
}

const root = "_INBOX.";
const madeSuffix = ".new";
/** It becomes part of the subject of outcomes, which no run may spoil. */
const isName = /^[A-Za-z0-9_-]{1,64}$/;
const logInboxOf = (name: string): string => `${root}${name}.log`;

/** The inbox that a run entry named; `name` as an outcome's subject has it. */
export const madeInboxOf = (name: string): string => root + name + madeSuffix;

export function newResultInbox(): ResultInbox {
  const name = randomToken(20);
  return { asked: root + name, made: madeInboxOf(name), log: logInboxOf(name) };
}

/** Whom the log tells of the outcomes of a run with this inbox: the name in their subject; empty when the engine tells them. */
export function waiterOf(inbox: string): string {
  if (!inbox.endsWith(madeSuffix) || !inbox.startsWith(root)) return "";
  const name = inbox.slice(root.length, -madeSuffix.length);
  return isName.test(name) ? name : "";
}

/** How a stream passes outcome entries on, in the form that a server takes; `src` has the name as its third wildcard. */
export const passingOn = (src: string): { readonly src: string; readonly dest: string } => ({
  src,
  dest: logInboxOf("{{wildcard(3)}}"),
});
