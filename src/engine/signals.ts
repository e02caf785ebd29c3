// The data of signals that are offered to durable runs: from memory where it was read a moment ago, from the log otherwise.

import type { Offer } from "../domain/durable.ts";
import { largestSignal } from "../domain/signal.ts";
import type { Leader } from "../leader/leader.ts";
import type { AssignCommand } from "../matching/commands.ts";
import { noBytes } from "../wire/bytes.ts";
import { shallowJsonOf } from "../wire/json-depth.ts";

/** Data of signals read from the log a moment ago, which are offered at once. */
const mostKept = 1_000;
const largestKept = 4_096;
/** A wait takes one, so a turn rarely needs more, and each costs a read. */
const mostOffered = 8;

export class Signals {
  readonly #leader: Pick<Leader, "store" | "link" | "log">;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(leader: Pick<Leader, "store" | "link" | "log">) {
    this.#leader = leader;
  }

  /** The largest data that can be offered. Units: bytes */
  get #limit(): number {
    return largestSignal(this.#leader.link.maxPayload);
  }

  /**
   * The same command with the signals' data: as many of the first offers as fit into a message. At once if all of it is in memory;
   * undefined when the store does not say what they are.
   */
  withData(command: AssignCommand): AssignCommand | Promise<AssignCommand | undefined> {
    const tell = (error: unknown) =>
      void this.#leader.log.debug("signals could not be read; their runs wait", { worker: command.worker, error });
    return this.#filled(command, this.#kept) ?? this.#read(command).catch(tell);
  }

  /** A signal of the log, just read: its run is offered it in a moment. `data` may be a view on the connection's buffer. */
  saw(seq: number, data: Uint8Array): void {
    if (data.length > largestKept) return;
    this.#kept.set(seq, new Uint8Array(data));
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value!);
  }

  async #read(command: AssignCommand): Promise<AssignCommand | undefined> {
    const data = new Map<number, Uint8Array>();
    const read = async (offer: Offer) =>
      offer.kind === "signal" && data.set(offer.sequence, await this.#dataOf(offer.sequence));
    for (const { offers } of command.resumes!.values()) await Promise.all(prefixOf(offers).map(read));
    return this.#filled(command, data);
  }

  /** Undefined if data of a signal is missing. */
  #filled(command: AssignCommand, data: ReadonlyMap<number, Uint8Array>): AssignCommand | undefined {
    const resumes = new Map(command.resumes);
    for (const [run, resume] of resumes) {
      const fit: Offer[] = [];
      let room = this.#limit;
      for (const offer of prefixOf(resume.offers)) {
        const bytes = offer.kind === "signal" ? data.get(offer.sequence) : noBytes;
        if (bytes === undefined) return undefined;
        room -= bytes.length;
        if (room < 0 && fit.length > 0) break;
        const told = shallowJsonOf(bytes);
        fit.push(offer.kind === "signal" && told !== undefined ? { ...offer, data: told } : offer);
      }
      resumes.set(run, { ...resume, offers: fit });
    }
    return { ...command, resumes };
  }

  /** Empty also if it was removed from the log by hand, or is larger than any that a client stores. */
  async #dataOf(seq: number): Promise<Uint8Array> {
    const bytes = this.#kept.get(seq) ?? (await this.#leader.store.read(seq))?.data ?? noBytes;
    if (bytes.length <= this.#limit) return bytes;
    this.#leader.log.warn("a signal is too large to be offered: it arrives without its data", { seq });
    return noBytes;
  }
}

/** Those before the first signal too many. A prefix: nothing may be passed over, and what is left out is offered with the next turn. */
function prefixOf(offers: readonly Offer[]): readonly Offer[] {
  let signals = 0;
  const end = offers.findIndex(({ kind }) => kind === "signal" && ++signals > mostOffered);
  return end < 0 ? offers : offers.slice(0, end);
}
