// Where a turn begins: from its run's journal, and from where it was parked according to the log.
import type { Wait } from "../../domain/durable.ts";
import type { Delivery, LapStart } from "../../wire/journal-message.ts";
import { historyOf } from "./history.ts";
import type { Offers } from "./offers.ts";
import type { TurnParts } from "./turn-parts.ts";

/** How a lap begins; what is missing is as in the first one. */
export type Start = Partial<LapStart> & { readonly time: number };

/** What a replay must reach: this many ops, and no more if nothing was stored since the run was parked. */
export interface ParkedAt {
  readonly ops: number;
  readonly isAll: boolean;
}

/** What a lap begins with besides its code. */
export interface LapGiven {
  readonly offers?: Offers | undefined;
  readonly parkedAt?: ParkedAt | undefined;
  /** Turns lost since the last delivery. */
  readonly fruitless?: number;
}

/** What a lap begins with: its code is called, and earlier deliveries are repeated. */
export interface Ready extends LapGiven {
  readonly start: Start;
  readonly deliveries?: readonly Delivery[];
  /** Those that the run was parked on. */
  readonly waits?: readonly Wait[];
}

export type Opening =
  /** The turn is another's. */
  | { readonly kind: "fenced" }
  /** It lacks what the log has seen. */
  | { readonly kind: "shorter" }
  /** Nothing has happened to the run yet, and its code starts so late that the journal must say when. */
  | { readonly kind: "late" }
  | (Ready & { readonly kind: "ready"; readonly lastSeq: number });

/** `isAgain`: what was read before lacked something, so now it must be all. */
export async function openingOf({ host, given }: TurnParts, isAgain: boolean): Promise<Opening> {
  const { key, origin, turn, resume, createdAt } = given;
  const parked = resume?.parked;
  // Up to where it was parked, the replay is checked; if a later message is missing, the append before the code continues is refused.
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
  const lost = fruitless + 1; // including whoever began before this one
  return { kind: "ready", start, deliveries, waits, parkedAt, lastSeq, fruitless: lost };
}
