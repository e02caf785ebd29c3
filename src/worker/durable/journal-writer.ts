// Appends to the journal of one run for one attempt, one message at a time: any other writer is noticed, and then
// nothing more is appended.
import { groupsBySize } from "../../collections/groups.ts";
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
    let bytes = headroom;
    for (const delivery of record.deliveries) bytes += mostBytesOfDelivery(delivery);
    return bytes <= this.#options.journal.largestMessage ? this.#append(record) : this.#writeInParts(record);
  }

  /** No message has room for it: as few as take it. */
  async #writeInParts({ deliveries, ...first }: Record): Promise<Written> {
    const room = this.#options.journal.largestMessage - headroom;
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
    const { journal, name, turn, attempt, mayAppend } = this.#options;
    const { time, deliveries, begins = false, returns = false, starts = false, lap } = record;
    const message = { turn, attempt, number: ++this.#number, time, starts, begins, returns, lap, deliveries };
    const may = mayAppend();
    if (may !== true && !(await may)) return "fenced";
    const bytes = encodeJournalMessage(message);
    const seq =
      (await journal.append(name, bytes, this.lastSeq, lap !== undefined)) ?? (await this.#storedBefore(message));
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
