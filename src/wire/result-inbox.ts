// Where a client learns how its runs ended: subjects under one name, so that it is clear who is speaking.
import { randomToken } from "../domain/random-token.ts";

export interface ResultInbox {
  /** From the engine, about runs that the client asks for or that have the caller's own ids. */
  readonly asked: string;
  /** From the engine, about runs with generated ids. Whoever names it in a run entry gets {@link log} as well. */
  readonly made: string;
  /** From the log, about those: the server sends a copy of each outcome entry here as soon as it is stored. */
  readonly log: string;
}

const root = "_INBOX.";
const madeSuffix = ".new";
/** Separates role and name in an outcome's subject, which has one token for both; neither may contain it. */
const joint = "-";
const waiterPattern = /^(?:[A-Za-z0-9_]{1,32}-)?[A-Za-z0-9_]{1,64}$/;
const inboxPattern = /^_INBOX(?:\.[A-Za-z0-9_=-]{1,100}){1,8}$/;
const inboxOf = (waiter: string): string => root + waiter.replace(joint, ".");

/** Where a role receives answers: `_INBOX`, or `_INBOX.<role>`, so that a server can separate the roles. */
export const isInboxPrefix = (prefix: string): boolean => /^_INBOX(?:\.[A-Za-z0-9_]{1,32})?$/.test(prefix);

/** Whether a subject is a private inbox as NATS clients make them. */
export const isInbox = (subject: string): boolean => inboxPattern.test(subject);

/** What follows `_INBOX.` in a prefix; may be empty. */
export const roleOf = (prefix: string): string => prefix.slice(root.length);

/** The inbox named in a run entry; `waiter` as in an outcome's subject. */
export const madeInboxOf = (waiter: string): string => inboxOf(waiter) + madeSuffix;

export function newResultInbox(prefix = "_INBOX"): ResultInbox {
  const inbox = `${prefix}.${randomToken(20)}`;
  return { asked: inbox, made: inbox + madeSuffix, log: `${inbox}.log` };
}

/** The waiter token in the subject of outcomes for this inbox; empty if the engine sends them. */
export function waiterOf(inbox: string): string {
  if (!inbox.endsWith(madeSuffix) || !inbox.startsWith(root)) return "";
  const name = inbox.slice(root.length, -madeSuffix.length);
  if (name.includes(joint)) return "";
  const waiter = name.replace(".", joint);
  return waiterPattern.test(waiter) ? waiter : "";
}

/**
 * The republish setting for outcome entries; the waiter is wildcard number `at` of `src`, which the server
 * splits into one token or two.
 */
export const passingOn = (src: string, at: number): { readonly src: string; readonly dest: string } => ({
  src,
  dest: `${root}{{split(${at},${joint})}}.log`,
});
