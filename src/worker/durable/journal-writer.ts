// The journal writer appends to the journal of one run, for one attempt and one message at a time. It notices any other writer, and then
// appends nothing more.
import { groupsBySize } from "../../collections/groups.ts";
import {
  type Delivery,
  decodeJournalMessage,
  encodeJournalMessage,
  type JournalMessage,
  mostBytesOfDelivery,
} from "../../wire/journal-message.ts";
import type { TurnGiven, TurnHost } from "./turn-host.ts";

interface TurnOfWriter {
  readonly host: Pick<TurnHost, "journal" | "newAttempt">;
  readonly given: Pick<TurnGiven, "key" | "origin" | "turn">;
  /** Waits until the leader was heard recently, so that it still counts on this worker; false if the turn ends first. */
  mayAppend(): boolean | Promise<boolean>;
}

/** `stored`: the record is acknowledged · `stale`: somebody has appended since the journal was read · `fenced`: another attempt has the turn */
export type Written = "stored" | "stale" | "fenced";

export type JournalRecord = Pick<JournalMessage, "time" | "deliveries"> &
  Partial<Pick<JournalMessage, "returns" | "starts" | "lap">>;

export class JournalWriter {
  /** The sequence of the last known message. */
  lastSeq = 0;
  /** Nothing has been appended in this turn yet, and code may not continue before that. Also set by the turn. */
  mustBegin = true;
  /** A record is being stored, and nothing else is written meanwhile. Stays true after a write that failed. */
  isWriting = false;
  readonly #turn: TurnOfWriter;
  readonly #attempt: number;
  #number = 0;
  #hasAppended = false;

  constructor(turn: TurnOfWriter) {
    this.#turn = turn;
    this.#attempt = turn.host.newAttempt();
  }

  /** Fails: as {@link Journal.append} */
  async write(record: JournalRecord): Promise<Written> {
    this.isWriting = true;
    let bytes = headroom;
    for (const delivery of record.deliveries) bytes += mostBytesOfDelivery(delivery);
    const hasRoom = bytes <= this.#turn.host.journal.largestMessage;
    const written = await (hasRoom ? this.#append(record) : this.#writeInParts(record));
    this.isWriting = false;
    return written;
  }

  /** Writes a record that is too large for one message in as few messages as possible. */
  async #writeInParts({ deliveries, ...first }: JournalRecord): Promise<Written> {
    const room = this.#turn.host.journal.largestMessage - headroom;
    const pieces = deliveries.flatMap((one) => piecesOf(one, room));
    let head: Omit<JournalRecord, "deliveries"> = first;
    for (const part of groupsBySize(pieces, room, mostBytesOfDelivery)) {
      const written = await this.#append({ ...head, deliveries: part });
      if (written !== "stored") return written;
      head = { time: first.time };
    }
    return "stored";
  }

  async #append(record: JournalRecord): Promise<Written> {
    const { time, deliveries, returns = false, starts = false, lap } = record;
    const begins = this.mustBegin && lap === undefined; // the first message of a lap replaces the journal, so it need not say that a turn begins
    const message = {
      turn: this.#turn.given.turn,
      attempt: this.#attempt,
      number: ++this.#number,
      time,
      starts,
      begins,
      returns,
      lap,
      deliveries,
    };
    const may = this.#turn.mayAppend();
    if (may !== true && !(await may)) return "fenced";
    const bytes = encodeJournalMessage(message);
    const seq =
      (await this.#turn.host.journal.append(this.#turn.given, bytes, this.lastSeq, lap !== undefined)) ??
      (await this.#storedBefore(message));
    if (seq === undefined) return this.#hasAppended ? "fenced" : "stale";
    this.lastSeq = seq;
    this.#hasAppended = true;
    this.mustBegin = false;
    return "stored";
  }

  /** The sequence of the message if it is the last of the journal: it was stored, and only the answer was lost. */
  async #storedBefore({ attempt, number }: JournalMessage): Promise<number | undefined> {
    const last = await this.#turn.host.journal.last(this.#turn.given);
    if (last === undefined) return undefined;
    const stored = decodeJournalMessage(last.data);
    return stored.attempt === attempt && stored.number === number ? last.seq : undefined;
  }
}

/** Space for everything in a message besides its deliveries. Units: bytes */
const headroom = 1_024;

/** Splits the values of a large group. Every other delivery fits into a message: whoever makes one sees to that. */
function piecesOf(delivery: Delivery, room: number): Delivery[] {
  if (delivery.kind !== "children" || delivery.form !== "value" || mostBytesOfDelivery(delivery) <= room)
    return [delivery];
  const ends = (JSON.parse(delivery.value) as unknown[]).map((end) => JSON.stringify(end));
  const pieces = groupsBySize(ends, room / 2, (json) => (json.length + 1) * 3);
  return pieces.map((piece, i) => ({
    ...delivery,
    form: i === pieces.length - 1 ? "value" : "part",
    value: `[${piece.join()}]`,
  }));
}
