// The sender of signals to durable runs. An engine knows whether the run takes a signal, so it is asked first. While none answers, the signal is
// stored from here: what counts is where it stands in the log (ADR 51).
import {
  InboxFull,
  PayloadTooLarge,
  PermissionDenied,
  RunFinished,
  RunNotFound,
  StoreUnavailable,
} from "../../domain/errors.ts";
import { splitKey } from "../../domain/run.ts";
import { bundleOfId, isRunId } from "../../domain/run-id.ts";
import { largestSignal } from "../../domain/signal.ts";
import type { Publisher } from "../../nats/publisher.ts";
import type { RunStore } from "../../nats/run-store.ts";
import { isBundle, runsOfBundle } from "../../wire/bundle-entry.ts";
import { jsonBytes, noBytes } from "../../wire/bytes.ts";
import { decodeRunEntry, runForm } from "../../wire/run-entry.ts";
import type { Subjects } from "../../wire/subjects.ts";
import type { SendSignal, SignalReply } from "../../wire/verbs.ts";
import type { EngineRequests } from "./engine-requests.ts";
import { deadlineOf, type Patience } from "./patience.ts";

const longestToken = 128;

export interface SignalSenderParts {
  readonly requests: Pick<EngineRequests, "ask">;
  readonly store: Pick<RunStore, "newestOf">;
  readonly publisher: Pick<Publisher, "append">;
  readonly subjects: Subjects;
  readonly maxPayload: () => number;
}

export class SignalSender {
  readonly #parts: SignalSenderParts;

  constructor(parts: SignalSenderParts) {
    this.#parts = parts;
  }

  /** Safe to repeat: a signal is stored once under its token. Fails: RunNotFound, RunFinished, InboxFull, PayloadTooLarge, EngineUnreachable, TypeError */
  async send(request: SendSignal, patience?: Patience): Promise<void> {
    const { key, name, data, token } = request;
    if (!isRunId(token) || token.length > longestToken)
      throw new TypeError(`send: id must be a text of 1 to ${longestToken} characters, for example "decision-42"`);
    const bytes = data === undefined ? noBytes : jsonBytes(data);
    const limit = largestSignal(this.#parts.maxPayload());
    if (bytes.length > limit)
      throw new PayloadTooLarge({ what: `the signal "${name}" to ${key}`, bytes: bytes.length, limit });
    const reply = await this.#parts.requests.ask("signal", request, deadlineOf(patience), (maySend) =>
      this.#store(request, bytes, maySend),
    );
    if ("seq" in reply) return;
    if (reply.refused === "unknown") throw new RunNotFound({ key });
    throw reply.refused === "finished" ? new RunFinished({ key }) : new InboxFull({ key });
  }

  /**
   * Stores a signal without an engine. Undefined if that is not possible now, or if only an engine can say what has become of the run. A run with an
   * entry may have ended: then the signal is dropped, as if the run had ended just after it.
   */
  async #store(request: SendSignal, bytes: Uint8Array, maySend: () => boolean): Promise<SignalReply | undefined> {
    const { key, name, token } = request;
    const { publisher, subjects } = this.#parts;
    try {
      const found = await this.#entryOf(key);
      if (found !== "live") return found && { refused: found };
      const result = await publisher.append(subjects.signal(key, name, token), bytes, 0, { maySend });
      return { seq: result.ok ? result.seq : (result.lastSeq ?? 0) };
    } catch (error) {
      if (error instanceof StoreUnavailable || error instanceof PermissionDenied) return undefined;
      throw error;
    }
  }

  /** What the newest entry of a run says; its outcome may be newer. Looks twice, since compaction may move the run out of its bundle meanwhile. */
  async #entryOf(key: string): Promise<"live" | "finished" | undefined> {
    const { store, subjects } = this.#parts;
    const { task, id } = splitKey(key);
    const bundle = bundleOfId(id);
    const ofItsOwn = async () => {
      const stored = await store.newestOf(subjects.run(task, id));
      return stored && (decodeRunEntry(stored.data).form === runForm.finished ? "finished" : "live");
    };
    const found = await ofItsOwn();
    if (found !== undefined || bundle === undefined) return found;
    const stored = await store.newestOf(subjects.bundle(task, bundle));
    const entry = stored && decodeRunEntry(stored.data);
    if (entry !== undefined && isBundle(entry) && runsOfBundle(entry).some((run) => run.id === id)) return "live";
    return ofItsOwn();
  }
}
