// Runs of failure handlers: made from the stored outcome, under the id of the failed run, so that a second try finds the first.

import { Deque } from "../collections/deque.ts";
import { MalformedRecord, PayloadTooLarge } from "../domain/errors.ts";
import { type FailureHandler, type FailurePayload, handlerRunId } from "../domain/failure.ts";
import type { Log } from "../domain/log.ts";
import { splitKey } from "../domain/run.ts";
import type { Command } from "../matching/commands.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { RunStore } from "../nats/run-store.ts";
import { readable } from "../nats/stored-records.ts";
import { jsonBytes, jsonOf } from "../wire/bytes.ts";
import { decodeOutcomeEntry } from "../wire/outcome-entry.ts";
import { isFailureHandler } from "../wire/records.ts";
import { encodeRunEntry, plainEntry } from "../wire/run-entry.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Payloads } from "./payloads.ts";
import { type Term, untilStored } from "./term.ts";

export interface FailuresParts {
  readonly definitions: Definitions;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly store: RunStore;
  readonly payloads: Payloads;
  readonly log: Log;
}

const prefix = "on-failure.";
/** Each reads its failed run back: an outage that fails a hundred thousand must not ask for all of them at once. */
const createdAtOnce = 64;

export class Failures {
  readonly #parts: FailuresParts;
  #creating = 0;
  readonly #waiting = new Deque<() => void>();

  constructor(parts: FailuresParts) {
    this.#parts = parts;
  }

  /** Fails: StoreUnavailable */
  async load(): Promise<FailureHandler[]> {
    const { definitions, log } = this.#parts;
    const records = readable(await definitions.readAll(prefix), isFailureHandler, log);
    return records.map(({ record }) => record);
  }

  /** `newest`: what the leader says by now. One that was overtaken must not be stored over it. */
  async store(
    { task, handler }: Extract<Command, { type: "storeFailureHandler" }>,
    term: Term,
    newest: () => FailureHandler | undefined,
  ): Promise<void> {
    const { definitions, log } = this.#parts;
    const isWanted = { isCurrent: () => term.isCurrent() && newest() === handler };
    await untilStored(isWanted, log, `the failure handler of "${task}"`, () =>
      handler === undefined ? definitions.remove(prefix + task) : definitions.put(prefix + task, handler),
    );
  }

  /** The next leader finds a failed run without its handler's; until there is one, it is tried here. */
  async create(command: Extract<Command, { type: "createFailureRun" }>, term: Term): Promise<void> {
    if (this.#creating === createdAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#creating++;
    try {
      await untilStored(term, this.#parts.log, `the run that handles ${command.key}`, () => this.#create(command));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#creating--;
      else next();
    }
  }

  async #create({ handler, key, seq, index }: Extract<Command, { type: "createFailureRun" }>): Promise<void> {
    const { store, payloads, publisher, subjects } = this.#parts;
    const stored = await store.read(seq);
    const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[index];
    if (outcome === undefined) return;
    const { createdAt, metadata = {}, error, attempts } = outcome.detail as FinalDetail;
    const failed = { ...splitKey(key), metadata, error: error ?? { name: "Error", message: "unknown" }, attempts };
    const append = (payload: FailurePayload) => {
      const entry = entryOf(payload, Math.max(outcome.at, createdAt), { ...metadata, "natchet.failed": key });
      return publisher.append(subjects.run(handler, handlerRunId(failed.task, failed.id)), entry, 0);
    };
    try {
      const input = await payloads.ofFinished(outcome);
      await append({ input: input && jsonOf(input), failed });
    } catch (problem) {
      if (!(problem instanceof PayloadTooLarge || problem instanceof MalformedRecord || problem instanceof RangeError))
        throw problem;
      // The input just fits a message, but not with the story of its failure; or it is not JSON, or nested too deeply to be written again.
      await append({ input: undefined, failed: { ...failed, attempts: failed.attempts.slice(-1) } });
    }
  }
}

const entryOf = (payload: FailurePayload, createdAt: number, metadata: Readonly<Record<string, string>>): Uint8Array =>
  encodeRunEntry({
    ...plainEntry,
    createdAt,
    scheduleTimeoutMs: null,
    extra: { metadata },
    input: jsonBytes(payload),
  });
