// A result inbox: where a client learns how its runs ended. Its subjects share one name, and each has one sender.
import { randomToken } from "../domain/random-token.ts";

export interface ResultInbox {
  /** Where engines tell about runs that the client asks for, or that have the caller's own ids. */
  readonly asked: string;
  /** Where engines tell about runs with generated ids. Whoever names this inbox in a run entry hears from {@link log} as well. */
  readonly made: string;
  /** Where the log tells about those: the server sends a copy of each outcome entry here as soon as it is stored. */
  readonly log: string;
}

const root = "_INBOX.";
const madeSuffix = ".new";
/** Joins role and name in the subject of an outcome, which has one token for both; neither may contain it. */
const joint = "-";
const waiterPattern = /^(?:[A-Za-z0-9_]{1,32}-)?[A-Za-z0-9_]{1,64}$/;
const inboxPattern = /^_INBOX(?:\.[A-Za-z0-9_=-]{1,100}){1,8}$/;
const inboxOf = (waiter: string): string => root + waiter.replace(joint, ".");

/** Whether this is a prefix of inboxes: `_INBOX`, or `_INBOX.<role>`, so that a server can keep the roles apart. */
export const isInboxPrefix = (prefix: string): boolean => /^_INBOX(?:\.[A-Za-z0-9_]{1,32})?$/.test(prefix);

/** Whether a subject is an inbox as NATS clients make them. */
export const isInbox = (subject: string): boolean => inboxPattern.test(subject);

/** The role in a prefix of inboxes; empty if it has none. */
export const roleOf = (prefix: string): string => prefix.slice(root.length);

/** The inbox that a run entry names, from the waiter that the subject of its outcome names. */
export const madeInboxOf = (waiter: string): string => inboxOf(waiter) + madeSuffix;

export function newResultInbox(prefix = "_INBOX"): ResultInbox {
  const inbox = `${prefix}.${randomToken(20)}`;
  return { asked: inbox, made: inbox + madeSuffix, log: `${inbox}.log` };
}

/** The waiter that the subject of an outcome names for this inbox; empty if engines have to send it. */
export function waiterOf(inbox: string): string {
  if (!inbox.endsWith(madeSuffix) || !inbox.startsWith(root)) return "";
  const name = inbox.slice(root.length, -madeSuffix.length);
  if (name.includes(joint)) return "";
  const waiter = name.replace(".", joint);
  return waiterPattern.test(waiter) ? waiter : "";
}

/**
 * The republish setting of the log, by which the server passes outcome entries on. The waiter is wildcard number `at` of `src`; the server splits
 * it into one token or two.
 */
export const passingOn = (src: string, at: number): { readonly src: string; readonly dest: string } => ({
  src,
  dest: `${root}{{split(${at},${joint})}}.log`,
});
