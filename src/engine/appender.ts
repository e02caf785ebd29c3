// What the engine itself writes to the log: lost, cancelled and failed outcomes, retention marks, compacted entries.
import type { Log } from "../domain/log.ts";
import { isFinal, splitKey } from "../domain/run.ts";
import type { Publisher } from "../nats/publisher.ts";
import { encodeCompactedBundle } from "../protocol/bundle-entry.ts";
import { jsonBytes, noBytes } from "../protocol/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../protocol/outcome-entry.ts";
import { waiterOf } from "../protocol/result-inbox.ts";
import { encodeRunEntry } from "../protocol/run-entry.ts";
import { engineWriter, type Subjects } from "../protocol/subjects.ts";
import type { CompactCommand, EngineOutcome } from "../scheduler/commands.ts";
import { leanSteps } from "./lean-entry.ts";
import type { Payloads } from "./payloads.ts";

export interface AppenderParts {
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly payloads: Payloads;
  readonly log: Log;
  /** Bytes of the largest entry. */
  readonly maxPayload: number;
}

/** What the headers of an entry take beside it. */
const spareBytes = 256;

export class Appender {
  readonly #parts: AppenderParts;
  /** Counts the entries of the current epoch. */
  #epoch = 0;
  #n = 0;

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /** Appends outcomes as one entry, or several when they are large or have several waiters; resolves with the last sequence. */
  async append(epoch: number, outcomes: readonly EngineOutcome[]): Promise<number> {
    const frames = await Promise.all(outcomes.map((outcome) => this.#frame(outcome)));
    const byWaiter = Map.groupBy(frames, (_, i) => waiterOf(outcomes[i]!.inbox));
    let seq = 0;
    for (const [waiter, framesOfWaiter] of byWaiter)
      for (const entry of this.#entries(framesOfWaiter)) seq = await this.#appendEntry(epoch, waiter, entry);
    return seq;
  }

  async #appendEntry(epoch: number, waiter: string, entry: Uint8Array): Promise<number> {
    const { publisher, subjects } = this.#parts;
    if (epoch !== this.#epoch) this.#n = 0;
    this.#epoch = epoch;
    this.#n += 1;
    const result = await publisher.append(subjects.outcome(engineWriter(epoch), this.#n, waiter), entry, 0);
    if (!result.ok) throw new Error(`outcome entry ${this.#n} of epoch ${epoch} exists already`);
    return result.seq;
  }

  /** Moves an entry to the tail in compacted form; false when another one stands in its place by now. */
  async compact({ task, name, isBundle, expectSeq, runs }: CompactCommand): Promise<boolean> {
    const { publisher, subjects, payloads, maxPayload } = this.#parts;
    const inputs = await Promise.all(
      runs.map((run) => (run.inputSeq === 0 ? noBytes : payloads.read(run.key, run.inputSeq))),
    );
    if (inputs.some((input) => input === undefined)) return false;
    const compacted = runs.map(({ key, entry }, i) => ({
      id: splitKey(key).id,
      entry: { ...entry, input: inputs[i]! },
    }));
    const subject = isBundle ? subjects.bundle(task, name) : subjects.run(task, compacted[0]!.id);
    for (const lean of leanSteps) {
      const leaner = compacted.map(({ id, entry }) => ({ id, entry: lean(entry) }));
      const entry = isBundle ? encodeCompactedBundle(leaner) : encodeRunEntry(leaner[0]!.entry);
      if (entry.length + spareBytes <= maxPayload) return (await publisher.append(subject, entry, expectSeq)).ok;
    }
    throw new Error(`what is left of ${name} does not fit into an entry of ${maxPayload} bytes`);
  }

  /** A final outcome tells the whole story, so it repeats the input; where that is gone already, it goes without. */
  async #frame(outcome: EngineOutcome): Promise<Uint8Array> {
    const needsInput = isFinal(outcome.kind) && outcome.inputSeq > 0;
    const input = needsInput ? await this.#parts.payloads.read(outcome.key, outcome.inputSeq) : noBytes;
    return encodeOutcomeFrame({
      ...outcome,
      detail: jsonBytes(outcome.detail),
      input: input ?? noBytes,
      output: noBytes,
    });
  }

  *#entries(frames: readonly Uint8Array[]): Generator<Uint8Array> {
    let part: Uint8Array[] = [];
    let bytes = 0;
    for (const frame of frames) {
      if (part.length > 0 && bytes + frame.length > this.#parts.maxPayload / 4) {
        yield encodeOutcomeEntry("engine", part);
        part = [];
        bytes = 0;
      }
      part.push(frame);
      bytes += frame.length;
    }
    if (part.length > 0) yield encodeOutcomeEntry("engine", part);
  }
}
