// Offers: what the log has for the waits of a parked run. The open ops take them one after another.
import type { Offer, Parked, Resume } from "../../domain/durable.ts";
import type { Delivery } from "../../wire/journal-message.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import type { OpenSignal } from "./signals.ts";
import type { TurnGiven } from "./turn-host.ts";
import { openWaits } from "./waits.ts";

const plain: OpenSignal = (_key, _name, data) => data;

/**
 * The offers with the results of the offered children. Not a promise if nothing has to be read or decrypted, so that a warm run continues at
 * once. Fails: StoreUnavailable, DecryptionFailed
 */
export function offersOf(given: OfferedTo, openSignal: OpenSignal = plain): Offers | Promise<Offers> {
  const { key, resume } = given;
  const { offers = [] } = resume ?? {};
  const data = offers.map((offer) => offer.kind === "signal" && openSignal(key, offer.name, offer.data));
  const isAtHand = offers.every(
    (offer, i) => offer.kind !== "children" && (offer.kind !== "signal" || data[i] === offer.data),
  );
  return isAtHand ? new Offers(resume ?? { offers }, new Map()) : completed(given, Promise.all(data));
}

type OfferedTo = Pick<TurnGiven, "key" | "resume" | "children">;

async function completed({ resume, children }: OfferedTo, opened: Promise<readonly unknown[]>): Promise<Offers> {
  const values = new Map<number, string>();
  const { parked, offers = [] } = resume ?? {};
  const data = await opened;
  const told = offers.map((offer, i) => (offer.kind === "signal" ? { ...offer, data: data[i] } : offer));
  for (const offer of offers) {
    if (offer.kind !== "children") continue;
    const { ordinal, ends } = offer;
    const wait = parked?.waits.find((one) => one.ordinal === ordinal);
    if (wait?.kind !== "children") continue;
    const { task } = wait;
    values.set(ordinal, JSON.stringify(await children.read({ task, lap: parked!.lap, ordinal }, ends)));
  }
  return new Offers({ ...(parked !== undefined && { parked }), offers: told }, values);
}

export class Offers {
  readonly #parked: Parked | undefined;
  /** In the order in which they came. */
  readonly #all: readonly Offer[];
  #left: readonly Offer[];
  /** The results of children, by the ordinal of their group. */
  readonly #values: ReadonlyMap<number, string>;

  constructor({ parked, offers }: Resume, values: ReadonlyMap<number, string>) {
    this.#parked = parked;
    this.#all = offers.filter(({ kind }) => kind !== "cancel");
    this.#left = this.#all;
    this.#values = values;
  }

  /** Puts back what was taken and not stored. The journal is read again, and decides who takes what. */
  reset(): void {
    this.#left = this.#all;
  }

  /**
   * The first offer that an open op takes; undefined if there is none. The list is used only while the code waits for nothing new: the log may
   * have something for a new wait that comes before these offers.
   */
  next(frame: Frame): Delivery | undefined {
    if (this.#left.length === 0) return undefined;
    const waits = openWaits(frame);
    if (!this.#isComplete(frame, waits)) {
      this.#left = [];
      return undefined;
    }
    for (const [i, offer] of this.#left.entries()) {
      const op = takerOf(offer, waits, frame);
      if (op === undefined) continue;
      this.#left = this.#left.slice(i + 1);
      const value = offer.kind === "signal" ? jsonOf(offer.data) : (this.#values.get(op.ordinal) ?? "");
      return op.end({ form: "value", time: offer.time, sequence: offer.sequence, value });
    }
    this.#left = [];
    return undefined;
  }

  #isComplete(frame: Frame, waits: readonly Op[]): boolean {
    const parked = this.#parked;
    return parked !== undefined && frame.lap === parked.lap && waits.every(({ ordinal }) => ordinal < parked.ops);
  }
}

const jsonOf = (data: unknown): string => JSON.stringify(data) ?? "";

/** The lowest op that takes the offer; none takes what the journal already has. */
function takerOf(offer: Offer, waits: readonly Op[], { cursors }: Frame): Op | undefined {
  if (offer.kind === "signal") {
    if (offer.sequence <= (cursors[offer.name] ?? 0)) return undefined;
    return waits.find(({ kind, name }) => kind === "signal" && name === offer.name);
  }
  if (offer.kind === "cancel") return undefined;
  const kind = offer.kind === "timer" ? "sleep" : "children";
  return waits.find((op) => op.ordinal === offer.ordinal && op.kind === kind);
}
