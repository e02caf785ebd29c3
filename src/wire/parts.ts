// Messages in parts: registrations and heartbeats list a worker's tasks and the runs it holds. What is too much for one message is sent in
// several, each with a part of the lists, and counts once all of them have arrived.
import { groupsBySize } from "../collections/groups.ts";
import { mostBytes, utf8 } from "./bytes.ts";

export interface Part {
  /** The message that it is a part of; only a sender's newest message counts. */
  readonly of: string;
  readonly index: number;
  readonly count: number;
}

interface Item {
  readonly list: string;
  readonly text: string;
}
type Lists = { readonly [list: string]: readonly unknown[] };

/** A part takes up to one in so many bytes of the largest message. */
const shareOfPayload = 4;
export const partLimit = (maxPayload: number): number => Math.floor(maxPayload / shareOfPayload);

/** One message with `head` and all the lists, or as many as needed with parts of them. An oversized item goes alone. */
export function encodeInParts(head: object, lists: Lists, limit: number, of: string): Uint8Array[] {
  const whole = JSON.stringify({ ...head, ...lists });
  if (mostBytes(whole) <= limit) return [utf8(whole)];
  const bytes = utf8(whole);
  if (bytes.length <= limit) return [bytes];
  const parts = pack(lists, limit - mostBytes(JSON.stringify(head)) - headroom);
  return parts.map((part, index) => {
    const about = JSON.stringify({ ...head, part: { of, index, count: parts.length } });
    const texts = Object.keys(lists).map(
      (list) => `${JSON.stringify(list)}:[${(part[list] ?? []).map(({ text }) => text).join()}]`,
    );
    return utf8(`${about.slice(0, -1)},${texts.join()}}`);
  });
}

/** Room for the names of the lists, and for `part`. Units: bytes */
const headroom = 200;

/** Items as JSON, in groups of at most so many bytes, each by its list. */
function pack(lists: Lists, room: number): Partial<Record<string, readonly Item[]>>[] {
  const items = Object.entries(lists).flatMap(([list, all]) =>
    all.map((item) => ({ list, text: JSON.stringify(item) })),
  );
  const groups = groupsBySize(items, room, ({ text }) => utf8(text).length + 1);
  return groups.length === 0 ? [{}] : groups.map((group) => Object.groupBy(group, ({ list }) => list));
}

/** Puts the parts of each sender together. If one is missing, the message is refused, and the sender learns why. */
export class Assembly<M extends { readonly id: string; readonly part?: Part | undefined }> {
  readonly #join: (parts: readonly M[]) => M;
  readonly #open = new Map<string, { readonly of: string; readonly parts: M[] }>();

  constructor(join: (parts: readonly M[]) => M) {
    this.#join = join;
  }

  /** Adds a message, or a part of one. Returns the whole once its last part is there. Fails: Error when the part before it is missing */
  add(message: M): M | undefined {
    const { id, part } = message;
    if (part === undefined) {
      this.#open.delete(id);
      return message;
    }
    if (part.index === 0) this.#open.set(id, { of: part.of, parts: [] });
    const open = this.#open.get(id);
    if (open?.of !== part.of || open.parts.length !== part.index)
      throw new Error(`part ${part.index + 1} of ${part.count} came without the one before it`);
    open.parts.push(message);
    if (open.parts.length < part.count) return undefined;
    this.#open.delete(id);
    return this.#join(open.parts);
  }

  /** Drops what has arrived from a sender that is gone: nobody will send the rest. */
  drop(id: string): void {
    this.#open.delete(id);
  }
}
