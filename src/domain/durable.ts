// What the log and the runtime of a durable run tell each other: where a run is parked, and what has arrived for it since. Rules: the journal
// is the run's own truth; the log knows only what is said here.
import { entryOfOrigin, originIn, placeInOrigin } from "./origin.ts";

/** Whose journal it is. */
export interface JournalName {
  /** `<task>/<id>` */
  readonly key: string;
  /** So that no later run with that id has the same journal. */
  readonly origin: number;
}

/** Something outside that an op of a parked run waits for. `ordinal`: which op of its lap, counted from 0. */
export type Wait =
  /** Ends when this moment has passed. Units: epoch milliseconds */
  | { readonly kind: "timer"; readonly ordinal: number; readonly deadline: number }
  | { readonly kind: "signal"; readonly ordinal: number; readonly name: string }
  /** Ends when all children of the group have, or with `failFast` when one of them has failed or was cancelled. */
  | {
      readonly kind: "children";
      readonly ordinal: number;
      readonly task: string;
      readonly size: number;
      readonly failFast?: boolean;
    };

/**
 * What an outcome `parked` says. It ends its turn, and counts for the current one only. By then everything that it lists is stored: each
 * delivery in the journal, each child of each open group in the log.
 */
export interface Parked {
  /** Counted from 1; each restart begins the next. */
  readonly lap: number;
  /** Ops that the code has opened in this lap: those of later waits are numbered from here. */
  readonly ops: number;
  readonly waits: readonly Wait[];
  /** Of the signals that the journal has taken, by name: the sequence of the last one. {@link cancelSignal} is one of the names. */
  readonly cursors: Readonly<Record<string, number>>;
  /** Last sequence of the run's journal; 0 while it is empty. */
  readonly journalSeq: number;
  /**
   * The code of its worker does not fit the journal: the run is not ready before a worker is there whose code is none of these or that
   * came later, whatever comes for it; then it is. With `again` it lacks a key instead, and is ready once that moment has passed. All else is
   * as the last `parked` before said it.
   */
  readonly blocked?: Blocked;
}

export interface Blocked {
  /** For people: which op differs, and what to do. */
  readonly reason: string;
  /** The codes (see {@link DurableTerms}) that did not fit. */
  readonly codes: readonly string[];
  /** When the last of them was found not to: who registers later is tried too. Units: epoch milliseconds */
  readonly at?: number;
  /** When any worker may try again, of a run whose worker could not decrypt something. Units: epoch milliseconds */
  readonly again?: number;
}

/** The name under which a wish to cancel reaches a durable run, as if it were a signal that each of its waits listens to. */
export const cancelSignal = "$cancel";

/**
 * Something that has come for a wait of the last `parked` that counted. Offers are in the order of (time, sequence); a worker may be given
 * as many of the first ones as fit a message. What the journal has already is skipped by the worker.
 *
 * Units: `time` epoch milliseconds, the running maximum of when the server stored what stands at `sequence`; a timer stands at its deadline
 */
export type Offer =
  | { readonly kind: "timer"; readonly ordinal: number; readonly time: number; readonly sequence: number }
  | {
      readonly kind: "signal";
      readonly name: string;
      readonly time: number;
      readonly sequence: number;
      readonly data?: unknown;
    }
  | {
      readonly kind: "children";
      readonly ordinal: number;
      readonly time: number;
      readonly sequence: number;
      /** By the place of the child; null for one that has not ended (of a group that fails fast). */
      readonly ends: readonly (ChildEnd | null)[];
    }
  | { readonly kind: "cancel"; readonly reason: string; readonly time: number; readonly sequence: number };

/** Where the outcome of a child stands: in the entry of this sequence, an outcome entry, or the finished form of the child's own. */
export interface ChildEnd {
  readonly seq: number;
  /** Within an outcome entry; -1 in the child's own. */
  readonly index: number;
}

/** Part of the assignment of a durable run. */
export interface Resume {
  /** As it was parked last; absent before. */
  readonly parked?: Parked;
  readonly offers: readonly Offer[];
}

/** What a worker registers about a durable task, besides what it registers about every task. */
export interface DurableTerms {
  /** Raised by hand when old runs need old code. */
  readonly version: number;
  /** Tells codes apart, by chance: equal for the same build. */
  readonly code: string;
  /** How long the whole run may take; null is without limit. */
  readonly deadlineMs: number | null;
  /** How long it may take to end once it is cancelled. @default 5 minutes */
  readonly cancelTimeoutMs?: number;
}

/** A child, by where its parent has started it. */
export interface ChildPlace {
  /** The origin of the parent. */
  readonly origin: number;
  readonly lap: number;
  readonly ordinal: number;
  /** Within its group, from 0. */
  readonly place: number;
}

/** The origin of a run as one token of letters that need no escape: its entry, and the place in a bundle. */
export function originToken(origin: number): string {
  const place = placeInOrigin(origin);
  return place < 0 ? String(entryOfOrigin(origin)) : `${entryOfOrigin(origin)}-${place}`;
}

/** Reads back {@link originToken}; undefined for what it never writes. */
export const originOf = (token: string): number | undefined => originAt(token, 0, token.length);

const [zero, nine] = [0x30, 0x39];

/** By hand, as {@link childPlaceOf}: an engine reads the ids of a child several times. */
function originAt(text: string, from: number, to: number): number | undefined {
  const joint = text.indexOf("-", from);
  const isBundled = joint >= 0 && joint < to;
  const seq = text.charCodeAt(from) === zero ? -1 : digitsAt(text, from, isBundled ? joint : to, 16);
  if (seq < 0) return undefined;
  if (!isBundled) return seq;
  const place = digitsAt(text, joint + 1, to, 4);
  return place < 0 ? undefined : originIn(seq, place);
}

/** -1 unless there are one to `most` digits, and nothing else. */
function digitsAt(text: string, from: number, to: number, most: number): number {
  if (to <= from || to - from > most) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code < zero || code > nine) return -1;
    value = value * 10 + (code - zero);
  }
  return value;
}

/** A number in decimal digits, without leading zeros; -1 if it is none. */
const numberAt = (text: string, from: number, to: number): number =>
  text.charCodeAt(from) === zero && to > from + 1 ? -1 : digitsAt(text, from, to, 10);

/** `~<origin>.<lap>.<ordinal>.<place>`: the same child whoever creates it, and whenever. */
export const childIdOf = ({ origin, lap, ordinal, place }: ChildPlace): string =>
  `~${originToken(origin)}.${lap}.${ordinal}.${place}`;

/** Undefined for the id of a run that is not an awaited child. */
export function childPlaceOf(id: string): ChildPlace | undefined {
  if (id.charCodeAt(0) !== 0x7e) return undefined;
  const first = id.indexOf(".");
  const second = id.indexOf(".", first + 1);
  const third = id.indexOf(".", second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const origin = originAt(id, 1, first);
  const lap = numberAt(id, first + 1, second);
  const ordinal = numberAt(id, second + 1, third);
  const place = numberAt(id, third + 1, id.length);
  if (origin === undefined || lap < 1 || ordinal < 0 || place < 0) return undefined;
  return { origin, lap, ordinal, place };
}

/** Whether a parent that parked like this still wants its child. Children of later ops are not known to be unwanted. */
export const isWanted = ({ lap, ops, waits }: Pick<Parked, "lap" | "ops" | "waits">, child: ChildPlace): boolean =>
  child.lap > lap ||
  (child.lap === lap && (child.ordinal >= ops || waits.some(({ ordinal }) => ordinal === child.ordinal)));
