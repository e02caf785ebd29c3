// Signals to durable runs: stored before they are acknowledged, and read again when they are offered.

import type { Offer } from "../domain/durable.ts";
import { PayloadTooLarge } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { largestSignal } from "../domain/signal.ts";
import type { Fold } from "../fold/fold.ts";
import type { AssignCommand } from "../matching/commands.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { RunStore } from "../nats/run-store.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import { signalData } from "../wire/signal-data.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { SendSignal, SignalReply } from "../wire/verbs.ts";

export interface SignalsParts {
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly store: Pick<RunStore, "read">;
  readonly maxPayload: () => number;
  /** Whether the lease is still this engine's, by its own clock. */
  readonly holdsLease: () => boolean;
  readonly log: Log;
  /** Resolves when everything up to there is folded. */
  readonly reached: (seq: number) => Promise<void>;
  readonly fold: () => Fold;
}

/** Signals of a run that it has not taken. */
const mostPending = 50_000;
/** Data of signals read from the log a moment ago, which are offered at once. */
const mostKept = 1_000;
const largestKept = 4_096;
/** A wait takes one, so a turn rarely needs more, and each costs a read. */
const mostOffered = 8;

export class Signals {
  readonly #parts: SignalsParts;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(parts: SignalsParts) {
    this.#parts = parts;
  }

  /** The largest data that can be offered. Units: bytes */
  get #limit(): number {
    return largestSignal(this.#parts.maxPayload());
  }

  /**
   * Stores a signal once, however often it is sent with its token. The state of its run when it was stored decides. Fails:
   * StoreUnavailable, PayloadTooLarge, TypeError for a run that is not durable
   */
  async send({ key, name, token, data }: SendSignal): Promise<SignalReply> {
    const { publisher, subjects, reached, fold, holdsLease } = this.#parts;
    const refused = this.#refusalOf(key);
    if (refused !== undefined) return { refused };
    const bytes = data === undefined ? noBytes : jsonBytes(data);
    if (bytes.length > this.#limit)
      throw new PayloadTooLarge({ what: `the signal "${name}" to ${key}`, bytes: bytes.length, limit: this.#limit });
    const run = fold().live.get(key)!;
    // A request may have waited while this engine was frozen, and its signal been stored and taken without it.
    const result = await publisher.append(subjects.signal(key, name, token), bytes, 0, undefined, holdsLease);
    const seq = result.ok ? result.seq : (result.lastSeq ?? 0);
    await reached(seq);
    const isLive = fold().live.get(key)?.origin === run.origin;
    const end = fold().finished.get(key);
    if (!isLive && (end === undefined || (end.origin === run.origin && end.seq < seq))) return { refused: "finished" };
    return { seq };
  }

  #refusalOf(key: string): "unknown" | "finished" | "full" | undefined {
    const fold = this.#parts.fold();
    const run = fold.live.get(key);
    if (run === undefined) return fold.finished.has(key) ? "finished" : "unknown";
    // What nobody has registered yet may be durable.
    const isKnown = (run.log.attached as TaskQueue | undefined)?.definition !== undefined;
    if (isKnown && !isDurable(run)) throw new TypeError(`run ${key} cannot take signals: its task is not durable`);
    return (fold.signals.get(key)?.length ?? 0) >= mostPending ? "full" : undefined;
  }

  /**
   * The same command with the signals' data: as many of the first offers as fit into a message. At once if all of it is in memory;
   * undefined when the store does not say what they are.
   */
  withData(command: AssignCommand): AssignCommand | Promise<AssignCommand | undefined> {
    const tell = (error: unknown) =>
      void this.#parts.log.debug("signals could not be read; their runs wait", { worker: command.worker, error });
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
        const told = signalData(bytes);
        fit.push(offer.kind === "signal" && told !== undefined ? { ...offer, data: told } : offer);
      }
      resumes.set(run, { ...resume, offers: fit });
    }
    return { ...command, resumes };
  }

  /** Empty also if it was removed from the log by hand, or is larger than any that a client stores. */
  async #dataOf(seq: number): Promise<Uint8Array> {
    const bytes = this.#kept.get(seq) ?? (await this.#parts.store.read(seq))?.data ?? noBytes;
    if (bytes.length <= this.#limit) return bytes;
    this.#parts.log.warn("a signal is too large to be offered: it arrives without its data", { seq });
    return noBytes;
  }
}

/** Those before the first signal too many. A prefix: nothing may be passed over, and what is left out is offered with the next turn. */
function prefixOf(offers: readonly Offer[]): readonly Offer[] {
  let signals = 0;
  const end = offers.findIndex(({ kind }) => kind === "signal" && ++signals > mostOffered);
  return end < 0 ? offers : offers.slice(0, end);
}
