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
/** Between a role and a name in the subject of outcomes, which have one token for both; neither may have it in it. */
const joint = "-";
const waiterPattern = /^(?:[A-Za-z0-9_]{1,32}-)?[A-Za-z0-9_]{1,64}$/;
const inboxPattern = /^_INBOX(?:\.[A-Za-z0-9_=-]{1,100}){1,8}$/;
const inboxOf = (waiter: string): string => root + waiter.replace(joint, ".");

/** Where a role hears answers: `_INBOX`, or `_INBOX.<role>`, so that a server can keep roles from hearing each other. */
export const isInboxPrefix = (prefix: string): boolean => /^_INBOX(?:\.[A-Za-z0-9_]{1,32})?$/.test(prefix);

/** Whether a subject is one that only whoever named it hears, as clients of NATS make them. */
export const isInbox = (subject: string): boolean => inboxPattern.test(subject);

/** What stands behind `_INBOX.` in a prefix; empty where nothing does. */
export const roleOf = (prefix: string): string => prefix.slice(root.length);

/** The inbox that a run entry named; `waiter` as an outcome's subject has it. */
export const madeInboxOf = (waiter: string): string => inboxOf(waiter) + madeSuffix;

export function newResultInbox(prefix = "_INBOX"): ResultInbox {
  const inbox = `${prefix}.${randomToken(20)}`;
  return { asked: inbox, made: inbox + madeSuffix, log: `${inbox}.log` };
}

/** Whom the log tells of the outcomes of a run with this inbox: the token in their subject; empty when the engine tells them. */
export function waiterOf(inbox: string): string {
  if (!inbox.endsWith(madeSuffix) || !inbox.startsWith(root)) return "";
  const name = inbox.slice(root.length, -madeSuffix.length);
  if (name.includes(joint)) return "";
  const waiter = name.replace(".", joint);
  return waiterPattern.test(waiter) ? waiter : "";
}

/**
 * How a stream passes outcome entries on, in the form that a server takes; `src` has the waiter as its wildcard number `at`, of which the server
 * makes one token or two.
 */
export const passingOn = (src: string, at: number): { readonly src: string; readonly dest: string } => ({
  src,
  dest: `${root}{{split(${at},${joint})}}.log`,
});
