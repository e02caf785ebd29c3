// What a journal says about its run: how its lap began, what was delivered since, and whose turn it is.
import { assertPlainMessage } from "../../sealing/sealed-journal.ts";
import { type Delivery, decodeJournalMessage, type JournalMessage, type LapStart } from "../../wire/journal-message.ts";
import type { StoredRecord } from "./journal.ts";

export interface History {
  /** Undefined in the first lap. */
  readonly lap: LapStart | undefined;
  /** When the code of the lap began; undefined if that is when the run was created. Units: epoch milliseconds */
  readonly startedAt: number | undefined;
  readonly deliveries: readonly Delivery[];
  /** Whether anything was delivered after this message. */
  readonly hasMoreThan: (seq: number) => boolean;
  /** The sequence of the last message; 0 for an empty journal. */
  readonly lastSeq: number;
  /** How many turns were lost since the last delivery: they began, and neither delivered anything nor were given back. */
  readonly fruitless: number;
}

/**
 * Undefined if this turn may not continue the journal: a later turn has begun, or another attempt at this turn.
 *
 * Fails: DecryptionFailed for a journal that is still sealed, MalformedRecord
 */
export function historyOf(read: readonly StoredRecord[], turn: number, run = ""): History | undefined {
  const told = read.map(({ data }) => decodeJournalMessage(data));
  for (const message of told) if (message.sealed !== undefined) assertPlainMessage(message, run);
  if (told.some((message) => message.turn >= turn)) return undefined;
  // The first message of a lap replaces everything before it, but the read may have caught some older messages just before that.
  const from = Math.max(
    0,
    told.findLastIndex(({ lap }) => lap !== undefined),
  );
  const [records, messages] = [read.slice(from), told.slice(from)];
  const first = messages[0];
  return {
    lap: first?.lap,
    startedAt: first?.starts === true || first?.lap !== undefined ? first.time : undefined,
    deliveries: deliveriesOf(messages),
    hasMoreThan: (seq) => (records[messages.findLastIndex(({ deliveries }) => deliveries.length > 0)]?.seq ?? 0) > seq,
    lastSeq: records.at(-1)?.seq ?? 0,
    fruitless: fruitlessOf(messages),
  };
}

function fruitlessOf(messages: readonly JournalMessage[]): number {
  let lost = 0;
  for (const { begins, returns, deliveries } of messages.toReversed()) {
    if (deliveries.length > 0) break;
    if (returns === true) lost -= 1;
    else if (begins) lost += 1;
  }
  return Math.max(lost, 0);
}

/** Joins the parts of large groups. Parts without a last one are from an attempt that was lost, and are dropped. */
function deliveriesOf(messages: readonly JournalMessage[]): Delivery[] {
  const whole: Delivery[] = [];
  const parts = new Map<number, string[]>();
  let writer = 0;
  for (const { attempt, deliveries } of messages) {
    if (attempt !== writer) parts.clear();
    writer = attempt;
    for (const delivery of deliveries) {
      const { ordinal, form, value } = delivery;
      const before = parts.get(ordinal);
      if (form === "part") parts.set(ordinal, [...(before ?? []), value]);
      else if (before === undefined) whole.push(delivery);
      else {
        parts.delete(ordinal);
        whole.push({ ...delivery, value: joined([...before, value]) });
      }
    }
  }
  return whole;
}

/** Joins arrays of JSON into one. */
const joined = (arrays: readonly string[]): string => `[${arrays.map((array) => array.slice(1, -1)).join()}]`;
