// The opening of a turn: what its run's journal says, and where the run was parked according to the log.
import type { Wait } from "../../domain/durable.ts";
import type { Delivery, LapStart } from "../../wire/journal-message.ts";
import { historyOf } from "./history.ts";
import type { Offers } from "./offers.ts";
import type { TurnParts } from "./turn-parts.ts";

/** How a lap begins. A field that is missing is as in the first lap. */
export type Start = Partial<LapStart> & { readonly time: number };

/** How many ops a replay must open: at least this many, and exactly this many if nothing was stored since the run was parked. */
export interface ParkedAt {
  readonly ops: number;
  readonly isAll: boolean;
}

/** What a lap is given besides its code. */
export interface LapGiven {
  readonly offers?: Offers | undefined;
  readonly parkedAt?: ParkedAt | undefined;
  /** How many turns were lost since the last delivery. */
  readonly fruitless?: number;
}

/** A lap that can begin: its code is called, and earlier deliveries are repeated. */
export interface Ready extends LapGiven {
  readonly start: Start;
  readonly deliveries?: readonly Delivery[];
  /** The waits on which the run was parked. */
  readonly waits?: readonly Wait[];
}

export type Opening =
  /** Another attempt has the turn. */
  | { readonly kind: "fenced" }
  /** The journal lacks messages that the log knows of. */
  | { readonly kind: "shorter" }
  /** Nothing has happened to the run yet, and its code starts so late that the journal must say when. */
  | { readonly kind: "late" }
  | (Ready & { readonly kind: "ready"; readonly lastSeq: number });

/** `isAgain`: an earlier read of this turn lacked newer messages, so this one must return all. */
export async function openingOf({ host, given }: TurnParts, isAgain: boolean): Promise<Opening> {
  const { key, origin, turn, resume, createdAt } = given;
  const parked = resume?.parked;
  // A read up to the place where the run was parked is enough to check the replay. If a later message is missing, the next append is refused,
  // and it comes before the code continues.
  const records = await host.journal.read({ key, origin }, isAgain ? undefined : parked?.journalSeq);
  const history = historyOf(records, turn, key);
  if (history === undefined) return { kind: "fenced" };
  const { lap, startedAt, deliveries, lastSeq, fruitless } = history;
  if (lastSeq < (parked?.journalSeq ?? 0)) return { kind: "shorter" };
  if (lastSeq === 0 && parked === undefined) return { kind: "late" };
  const start = { ...lap, time: startedAt ?? createdAt };
  const isSameLap = parked !== undefined && parked.lap === (lap?.lap ?? 1) && parked.ops > 0;
  const parkedAt = isSameLap ? { ops: parked.ops, isAll: !history.hasMoreThan(parked.journalSeq) } : undefined;
  const waits = isSameLap ? parked.waits : [];
  const lost = fruitless + 1; // with the turn that made the last delivery: it began before that
  return { kind: "ready", start, deliveries, waits, parkedAt, lastSeq, fruitless: lost };
}
