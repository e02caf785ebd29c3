// The data of signals that are offered to durable runs: from memory where it was read a moment ago, from the log otherwise.

import type { Offer } from "../domain/durable.ts";
import { largestSignal } from "../domain/signal.ts";
import type { Leader } from "../leader/leader.ts";
import type { AssignCommand } from "../matching/commands.ts";
import { noBytes } from "../wire/bytes.ts";
import { shallowJsonOf } from "../wire/json-depth.ts";

/** How many signals' data are kept: most signals are offered a moment after they were read. */
const mostKept = 1_000;
const largestKept = 4_096;
/** Most signals offered with one turn: a wait takes only one, and each may cost a read of the log. */
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
   * The same command with the data of the signals, and with as many of its first offers as fit into a message. Not a promise if all the data
   * is in memory; undefined if the store cannot be read.
   */
  withData(command: AssignCommand): AssignCommand | Promise<AssignCommand | undefined> {
    const tell = (error: unknown) =>
      void this.#leader.log.debug("signals could not be read; their runs wait", { worker: command.worker, error });
    return this.#filled(command, this.#kept) ?? this.#read(command).catch(tell);
  }

  /** Keeps a signal that was just read from the log and will soon be offered. `data` is copied: it may be a view on the connection's buffer. */
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

  /** Undefined if the data of a signal is missing. */
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

  /** Empty if somebody removed the signal from the log, or if it is larger than any that a client stores. */
  async #dataOf(seq: number): Promise<Uint8Array> {
    const bytes = this.#kept.get(seq) ?? (await this.#leader.store.read(seq))?.data ?? noBytes;
    if (bytes.length <= this.#limit) return bytes;
    this.#leader.log.warn("a signal is too large to be offered: it arrives without its data", { seq });
    return noBytes;
  }
}

/** The offers up to the first signal too many. None in between may be left out, and the rest is offered with the next turn. */
function prefixOf(offers: readonly Offer[]): readonly Offer[] {
  let signals = 0;
  const end = offers.findIndex(({ kind }) => kind === "signal" && ++signals > mostOffered);
  return end < 0 ? offers : offers.slice(0, end);
}
