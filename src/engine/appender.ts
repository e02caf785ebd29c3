// What the engine itself writes to the log: lost, cancelled and failed outcomes, retention marks, compacted entries.
import type { Log } from "../domain/log.ts";
import { isFinal, splitKey } from "../domain/run.ts";
import type { Publisher } from "../nats/publisher.ts";
import { jsonBytes, noBytes } from "../protocol/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../protocol/outcome-entry.ts";
import { encodeRunEntry } from "../protocol/run-entry.ts";
import { engineWriter, type Subjects } from "../protocol/subjects.ts";
import type { CompactCommand, EngineOutcome } from "../scheduler/commands.ts";
import type { Payloads } from "./payloads.ts";

export interface AppenderParts {
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly payloads: Payloads;
  readonly log: Log;
  /** Bytes of the largest entry. */
  readonly maxPayload: number;
}

export class Appender {
  readonly #parts: AppenderParts;
  /** Counts the entries of the current epoch. */
  #epoch = 0;
  #n = 0;

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /** Appends outcomes as one entry, or several when they are large; resolves with the last sequence. */
  async append(epoch: number, outcomes: readonly EngineOutcome[]): Promise<number> {
    const frames = await Promise.all(outcomes.map((outcome) => this.#frame(outcome)));
    let seq = 0;
    for (const entry of this.#entries(frames)) {
      if (epoch !== this.#epoch) this.#n = 0;
      this.#epoch = epoch;
      this.#n += 1;
      const result = await this.#parts.publisher.append(
        this.#parts.subjects.outcome(engineWriter(epoch), this.#n),
        entry,
        0,
      );
      if (!result.ok) throw new Error(`outcome entry ${this.#n} of epoch ${epoch} exists already`);
      seq = result.seq;
    }
    return seq;
  }

  /** Moves a run entry to the tail in compacted form; false when another entry stands in its place by now. */
  async compact(command: CompactCommand): Promise<boolean> {
    const input = command.inputSeq === 0 ? noBytes : await this.#parts.payloads.read(command.key, command.inputSeq);
    if (input === undefined) return false;
    const { task, id } = splitKey(command.key);
    const entry = encodeRunEntry({ ...command.entry, input });
    return (await this.#parts.publisher.append(this.#parts.subjects.run(task, id), entry, command.expectSeq)).ok;
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
