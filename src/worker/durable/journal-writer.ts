// Appends to the journal of one run for one attempt, one message at a time: any other writer is noticed, and then
// nothing more is appended.

import type { JournalName } from "../../domain/durable.ts";
import {
  type Delivery,
  decodeJournalMessage,
  encodeJournalMessage,
  type JournalMessage,
  mostBytesOfDelivery,
} from "../../wire/journal-message.ts";
import type { Journal } from "./journal.ts";

export interface WriterOptions {
  readonly journal: Journal;
  readonly name: JournalName;
  readonly turn: number;
  /** Chosen by chance. */
  readonly attempt: number;
  /** Resolves once the leader is known to count on this worker; false if the turn ends first. */
  readonly mayAppend: () => boolean | Promise<boolean>;
}

/** `stored`: all of it is acknowledged · `stale`: somebody has appended since the journal was read · `fenced`: the turn is another's */
export type Written = "stored" | "stale" | "fenced";

export type Record = Pick<JournalMessage, "time" | "deliveries"> &
  Partial<Pick<JournalMessage, "begins" | "returns" | "starts" | "lap">>;

export class JournalWriter {
  /** Of the last known message. */
  lastSeq = 0;
  readonly #options: WriterOptions;
  #number = 0;
  #hasAppended = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Fails: as {@link Journal.append} */
  async write(record: Record): Promise<Written> {
    const { turn, attempt, journal } = this.#options;
    let bytes = headroom;
    for (const delivery of record.deliveries) bytes += mostBytesOfDelivery(delivery);
    if (bytes <= journal.largestMessage) {
      const { time, deliveries, begins = false, returns = false, starts = false, lap } = record;
      return this.#append({ turn, attempt, number: ++this.#number, time, starts, begins, returns, lap, deliveries });
    }
    for (const message of this.#messagesOf(record)) {
      const written = await this.#append(message);
      if (written !== "stored") return written;
    }
    return "stored";
  }

  async #append(message: JournalMessage): Promise<Written> {
    const { journal, name, mayAppend } = this.#options;
    const may = mayAppend();
    if (may !== true && !(await may)) return "fenced";
    const bytes = encodeJournalMessage(message);
    const seq =
      (await journal.append(name, bytes, this.lastSeq, message.lap !== undefined)) ??
      (await this.#storedBefore(message));
    if (seq === undefined) return this.#hasAppended ? "fenced" : "stale";
    this.lastSeq = seq;
    this.#hasAppended = true;
    return "stored";
  }

  /** Only the answer was lost. */
  async #storedBefore({ attempt, number }: JournalMessage): Promise<number | undefined> {
    const last = await this.#options.journal.last(this.#options.name);
    if (last === undefined) return undefined;
    const stored = decodeJournalMessage(last.data);
    return stored.attempt === attempt && stored.number === number ? last.seq : undefined;
  }

  /** Of a record that no message has room for: as few as take it. */
  *#messagesOf({ deliveries, begins = false, ...rest }: Record): Generator<JournalMessage> {
    const { turn, attempt, journal } = this.#options;
    const room = journal.largestMessage - headroom;
    const { time } = rest;
    let isFirst = true;
    const make = (part: readonly Delivery[]): JournalMessage => {
      const head = isFirst ? { ...rest, begins } : { time, begins: false };
      isFirst = false;
      return { ...head, turn, attempt, number: ++this.#number, deliveries: part };
    };
    let part: Delivery[] = [];
    let bytes = 0;
    for (const delivery of deliveries.flatMap((one) => piecesOf(one, room))) {
      const size = mostBytesOfDelivery(delivery);
      if (part.length > 0 && bytes + size > room) {
        yield make(part);
        part = [];
        bytes = 0;
      }
      part.push(delivery);
      bytes += size;
    }
    if (part.length > 0 || isFirst) yield make(part);
  }
}

/** Space for what a message has besides its deliveries. */
const headroom = 1_024;

/** The values of a large group go in parts; everything else fits into a message, which is ensured where it arises. */
function piecesOf(delivery: Delivery, room: number): Delivery[] {
  if (delivery.kind !== "children" || delivery.form !== "value" || mostBytesOfDelivery(delivery) <= room)
    return [delivery];
  const pieces: string[] = [];
  let piece = "";
  for (const end of JSON.parse(delivery.value) as unknown[]) {
    const json = JSON.stringify(end);
    if (piece !== "" && (piece.length + json.length) * 3 > room / 2) {
      pieces.push(piece);
      piece = "";
    }
    piece += piece === "" ? json : `,${json}`;
  }
  pieces.push(piece);
  return pieces.map((values, i) => ({
    ...delivery,
    form: i === pieces.length - 1 ? "value" : "part",
    value: `[${values}]`,
  }));
}
