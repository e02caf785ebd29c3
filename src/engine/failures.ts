// Runs of failure handlers: made from the stored outcome, under the id of the failed run, so that a second try finds the first.
import { PayloadTooLarge } from "../domain/errors.ts";
import type { FailureHandler, FailurePayload } from "../domain/failure.ts";
import { splitKey } from "../domain/run.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { RunStore } from "../nats/run-store.ts";
import { jsonBytes, jsonOf } from "../protocol/bytes.ts";
import { decodeOutcomeEntry, type FinalDetail } from "../protocol/outcome-entry.ts";
import { encodeRunEntry } from "../protocol/run-entry.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { Command } from "../scheduler/commands.ts";
import type { Payloads } from "./payloads.ts";

export interface FailuresParts {
  readonly definitions: Definitions;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly store: RunStore;
  readonly payloads: Payloads;
}

const prefix = "on-failure.";

export class Failures {
  readonly #parts: FailuresParts;

  constructor(parts: FailuresParts) {
    this.#parts = parts;
  }

  /** Fails: StoreUnavailable */
  async load(): Promise<FailureHandler[]> {
    return (await this.#parts.definitions.readAll(prefix)).map(({ record }) => record as FailureHandler);
  }

  async store({ task, handler }: Extract<Command, { type: "storeFailureHandler" }>): Promise<void> {
    const { definitions } = this.#parts;
    if (handler === undefined) await definitions.remove(prefix + task);
    else await definitions.put(prefix + task, handler);
  }

  /** Nothing is lost if it fails: the next leader finds the failed run without its handler's. */
  async create({ handler, key, seq, index }: Extract<Command, { type: "createFailureRun" }>): Promise<void> {
    const { store, payloads, publisher, subjects } = this.#parts;
    const stored = await store.read(seq);
    const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[index];
    if (outcome === undefined) return;
    const { createdAt, metadata = {}, error, attempts } = outcome.detail as FinalDetail;
    const failed = { ...splitKey(key), metadata, error: error ?? { name: "Error", message: "unknown" }, attempts };
    const append = (payload: FailurePayload) => {
      const entry = entryOf(payload, Math.max(outcome.at, createdAt), { ...metadata, "natchet.failed": key });
      return publisher.append(subjects.run(handler, failed.id), entry, 0);
    };
    try {
      const input = await payloads.ofFinished(outcome);
      await append({ input: input && jsonOf(input), failed });
    } catch (problem) {
      // An input that just fits a message does not fit together with the story of its failure.
      if (!(problem instanceof PayloadTooLarge)) throw problem;
      await append({ input: undefined, failed: { ...failed, attempts: failed.attempts.slice(-1) } });
    }
  }
}

const entryOf = (payload: FailurePayload, createdAt: number, metadata: Readonly<Record<string, string>>): Uint8Array =>
  encodeRunEntry({
    form: 0,
    priority: 0,
    createdAt,
    dueAt: 0,
    scheduleTimeoutMs: null,
    inbox: "",
    extra: { metadata },
    input: jsonBytes(payload),
  });
