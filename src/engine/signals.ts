// Signals to durable runs: stored before they are acknowledged, and read again when they are offered.
import { PayloadTooLarge } from "../domain/errors.ts";
import type { Fold } from "../fold/fold.ts";
import type { AssignCommand } from "../matching/commands.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { RunStore } from "../nats/run-store.ts";
import { jsonBytes, jsonOf, noBytes } from "../wire/bytes.ts";
import type { SendSignal, SignalReply } from "../wire/messages.ts";
import type { Subjects } from "../wire/subjects.ts";

export interface SignalsParts {
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly store: Pick<RunStore, "read">;
  readonly maxPayload: () => number;
  /** Resolves when everything up to there is folded. */
  readonly reached: (seq: number) => Promise<void>;
  readonly fold: () => Fold;
}

/** Signals of a run that it has not taken. */
const mostPending = 50_000;
/** Data of recently stored signals, which are offered at once. */
const mostKept = 1_000;
const largestKept = 4_096;
/** Their share of an assignment, besides the run's input. */
const shareOfMessage = 4;

export class Signals {
  readonly #parts: SignalsParts;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(parts: SignalsParts) {
    this.#parts = parts;
  }

  /** The largest data that can be offered. Units: bytes */
  get #limit(): number {
    return Math.floor(this.#parts.maxPayload() / shareOfMessage);
  }

  /**
   * Stores a signal once, however often it is sent with its token. The state of its run when it was stored decides. Fails:
   * StoreUnavailable, PayloadTooLarge, TypeError for a run that is not durable
   */
  async send({ key, name, token, data }: SendSignal): Promise<SignalReply> {
    const { publisher, subjects, reached, fold } = this.#parts;
    const refused = this.#refusalOf(key);
    if (refused !== undefined) return { refused };
    const bytes = data === undefined ? noBytes : jsonBytes(data);
    if (bytes.length > this.#limit)
      throw new PayloadTooLarge({ what: `the signal "${name}" to ${key}`, bytes: bytes.length, limit: this.#limit });
    const run = fold().live.get(key)!;
    const result = await publisher.append(subjects.signal(key, name, token), bytes, 0);
    const seq = result.ok ? result.seq : (result.lastSeq ?? 0);
    if (result.ok && bytes.length <= largestKept) this.#keep(seq, bytes);
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

  /** The same command with the signals' data: as many of the first offers as fit into a message. Fails: StoreUnavailable */
  async withData(command: AssignCommand): Promise<AssignCommand> {
    if (command.resumes === undefined) return command;
    const resumes = new Map(command.resumes);
    for (const [run, resume] of command.resumes) {
      if (!resume.offers.some(({ kind }) => kind === "signal")) continue;
      let room = this.#limit;
      const offers: (typeof resume.offers)[number][] = [];
      for (const offer of resume.offers) {
        const bytes = offer.kind === "signal" ? await this.#read(offer.sequence) : noBytes;
        room -= bytes.length;
        if (room < 0 && offers.length > 0) break;
        offers.push(offer.kind === "signal" && bytes.length > 0 ? { ...offer, data: jsonOf(bytes) } : offer);
      }
      resumes.set(run, { ...resume, offers });
    }
    return { ...command, resumes };
  }

  /** Empty also if it was removed from the log by hand. */
  async #read(seq: number): Promise<Uint8Array> {
    return this.#kept.get(seq) ?? (await this.#parts.store.read(seq))?.data ?? noBytes;
  }

  #keep(seq: number, bytes: Uint8Array): void {
    this.#kept.set(seq, bytes);
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value!);
  }
}
