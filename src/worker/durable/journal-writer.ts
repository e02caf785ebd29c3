// Appends to the journal of one run for one attempt, one message at a time: any other writer is noticed, and then
// nothing more is appended.
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
  /** Resolves once the leader is known to count on this worker; false if the turn ends first. */
  mayAppend(): boolean | Promise<boolean>;
}

/** `stored`: all of it is acknowledged · `stale`: somebody has appended since the journal was read · `fenced`: the turn is another's */
export type Written = "stored" | "stale" | "fenced";

export type Record = Pick<JournalMessage, "time" | "deliveries"> &
  Partial<Pick<JournalMessage, "returns" | "starts" | "lap">>;

export class JournalWriter {
  /** Of the last known message. */
  lastSeq = 0;
  /** Nothing has been appended in this turn, and something must be before code continues. Written by the turn too. */
  mustBegin = true;
  /** A record is on its way, and nothing else is written meanwhile; also from when one was refused. */
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
  async write(record: Record): Promise<Written> {
    this.isWriting = true;
    let bytes = headroom;
    for (const delivery of record.deliveries) bytes += mostBytesOfDelivery(delivery);
    const hasRoom = bytes <= this.#turn.host.journal.largestMessage;
    const written = await (hasRoom ? this.#append(record) : this.#writeInParts(record));
    this.isWriting = false;
    return written;
  }

  /** No message has room for it: as few as take it. */
  async #writeInParts({ deliveries, ...first }: Record): Promise<Written> {
    const room = this.#turn.host.journal.largestMessage - headroom;
    const pieces = deliveries.flatMap((one) => piecesOf(one, room));
    let head: Omit<Record, "deliveries"> = first;
    for (const part of groupsBySize(pieces, room, mostBytesOfDelivery)) {
      const written = await this.#append({ ...head, deliveries: part });
      if (written !== "stored") return written;
      head = { time: first.time };
    }
    return "stored";
  }

  async #append(record: Record): Promise<Written> {
    const { time, deliveries, returns = false, starts = false, lap } = record;
    const begins = this.mustBegin && lap === undefined; // a lap replaces whatever has begun
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

  /** Only the answer was lost. */
  async #storedBefore({ attempt, number }: JournalMessage): Promise<number | undefined> {
    const last = await this.#turn.host.journal.last(this.#turn.given);
    if (last === undefined) return undefined;
    const stored = decodeJournalMessage(last.data);
    return stored.attempt === attempt && stored.number === number ? last.seq : undefined;
  }
}

/** Space for what a message has besides its deliveries. */
const headroom = 1_024;

/** The values of a large group go in parts; everything else fits into a message, which is ensured where it arises. */
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
