// Sends requests to the leading engine, waiting for one up to a limit. Every request may be repeated: one that went to an engine
// that no longer leads, or whose answer was lost, is sent again.
import type { CronInfo } from "../../domain/cron.ts";
import { parseDuration } from "../../domain/duration.ts";
import { EngineRefused, EngineUnreachable, PayloadTooLarge } from "../../domain/errors.ts";
import { assertKnownOptions } from "../../domain/known-options.ts";
import type { CancelReply, QueueInfo, WorkerInfo } from "../../domain/listing.ts";
import type { Pauses, PauseTarget } from "../../domain/pauses.ts";
import type { Cancellation } from "../../domain/run.ts";
import { encodeMessage, transientErrors } from "../../wire/messages.ts";
import { isUnknownFilter, sentFilter } from "../../wire/run-filter.ts";
import type {
  CancelRuns,
  ChangeCron,
  EngineVerb,
  EraseReply,
  FoundRun,
  ListRuns,
  Replies,
  RescheduleReply,
  RunListPage,
  SendSignal,
  SignalReply,
} from "../../wire/verbs.ts";
import { GroupedCancels } from "./grouped-cancels.ts";
import type { LeaderLine } from "./leader-line.ts";
import { cancelGroups, joinCancelled, joinWorkers } from "./pages.ts";
import type { Patience } from "./patience.ts";
import { longMs } from "./patience.ts";

/** Units: milliseconds */
const patienceMs = 30_000;
/** A suspended engine receives a request and never answers. Units: milliseconds */
const tryMs = 5_000;
const pauseMs = 200;
/** Overhead of a message around its payload. Units: bytes */
const spareBytes = 256;

const tooOld =
  "it is of an older version, which does not know all of the filter: upgrade the engine (docs/production/upgrade.md)";

/** Does what an engine was asked for; undefined if it cannot. `maySend`: the caller still waits. */
type WithoutEngine<A> = (maySend: () => boolean) => Promise<A | undefined>;

export class EngineRequests {
  readonly #line: LeaderLine;
  readonly #onSilence: (reason: string) => void;
  readonly #cancels = new GroupedCancels((request, patience) => this.cancel(request, patience));

  /** `onSilence` is called when somebody has waited long for an answer. */
  constructor(line: LeaderLine, onSilence: (reason: string) => void = () => {}) {
    this.#line = line;
    this.#onSilence = onSilence;
  }

  async get(key: string, patience?: Patience): Promise<FoundRun> {
    return this.#ask("get", { key }, deadlineOf(patience));
  }

  /** One page: as many as fit into a message, and where the next one begins. */
  list(request: ListRuns, patience?: Patience): Promise<RunListPage> {
    return this.#ask("list", sentFilter(request), deadlineOf(patience));
  }

  /** All of them, in as many requests as it takes. */
  async cancel(request: CancelRuns, patience?: Patience): Promise<CancelReply> {
    const deadline = deadlineOf(patience);
    const replies: CancelReply[] = [];
    for (const group of cancelGroups(request, this.#line.maxPayload / 4)) {
      for (let cursor: string | undefined = ""; cursor !== undefined; ) {
        const part = sentFilter(cursor === "" ? group : { ...group, cursor });
        const reply: CancelReply = await this.#ask("cancel", part, deadline);
        replies.push(reply);
        cursor = reply.next;
      }
    }
    return joinCancelled(replies);
  }

  /** Ends a run at once. Fails as {@link EngineRequests.cancel} */
  async kill(key: string, reason: string, patience?: Patience): Promise<Cancellation | "unknown"> {
    const reply = await this.cancel({ runs: [key], reason, kill: true }, patience);
    return (["cancelled", "finished", "stopping"] as const).find((did) => reply[did].includes(key)) ?? "unknown";
  }

  /** Safe to repeat. `withoutEngine` is tried whenever none answers. Fails: EngineUnreachable, EngineRefused, TypeError */
  signal(
    request: SendSignal,
    patience: Patience | undefined,
    withoutEngine: WithoutEngine<SignalReply>,
  ): Promise<SignalReply> {
    return this.#ask("signal", request, deadlineOf(patience), withoutEngine);
  }

  /** Safe to repeat. Fails: EngineUnreachable, EngineRefused */
  erase(runs: readonly string[], patience?: Patience): Promise<EraseReply> {
    return this.#ask("erase", { runs }, deadlineOf(patience));
  }

  /** Cancels of single runs that come together travel together. Fails as {@link EngineRequests.cancel} */
  cancelOne(key: string, reason: string, patience?: Patience): Promise<Cancellation | "unknown"> {
    return this.#cancels.cancel(key, reason, patience);
  }

  pause(target: PauseTarget, paused: boolean, patience?: Patience): Promise<Pauses> {
    const isAll = target.task === undefined && target.worker === undefined;
    const request = { ...target, ...(isAll && { namespace: true }), paused };
    return this.#ask("pause", request, deadlineOf(patience));
  }

  changeCron(change: ChangeCron): Promise<CronInfo> {
    return this.#ask("cron", change, deadlineOf());
  }

  crons(): Promise<readonly CronInfo[]> {
    return this.#pages("crons", ({ crons }) => crons);
  }

  /** `delayMs`, if given, takes precedence over `dueAt`: this process's clock may differ from the engine's. */
  reschedule(
    runs: readonly string[],
    { dueAt, delayMs }: { readonly dueAt: number; readonly delayMs?: number | undefined },
    patience?: Patience,
  ): Promise<RescheduleReply> {
    const request = { runs, dueAt, ...(delayMs !== undefined && { delayMs }) };
    return this.#ask("reschedule", request, deadlineOf(patience));
  }

  async workers(patience?: Patience): Promise<readonly WorkerInfo[]> {
    return joinWorkers(await this.#pages("workers", ({ workers }) => workers, patience));
  }

  queues(patience?: Patience): Promise<readonly QueueInfo[]> {
    return this.#pages("queues", ({ queues }) => queues, patience);
  }

  async #pages<V extends "crons" | "workers" | "queues", T>(
    verb: V,
    itemsOf: (page: Replies[V]) => readonly T[],
    patience?: Patience,
  ): Promise<T[]> {
    const deadline = deadlineOf(patience);
    const items: T[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page: Replies[V] = await this.#ask(verb, after === "" ? {} : { after }, deadline);
      items.push(...itemsOf(page));
      after = page.next;
    }
    return items;
  }

  async #ask<V extends keyof Replies>(
    verb: V,
    request: object,
    deadline: number,
    withoutEngine?: WithoutEngine<Replies[V]>,
  ): Promise<Replies[V]> {
    const message = encodeMessage(request);
    const { maxPayload, namespace } = this.#line;
    if (message.length + spareBytes > maxPayload)
      throw new PayloadTooLarge({ what: `the request "${verb}"`, bytes: message.length, limit: maxPayload });
    const askedAt = performance.now();
    for (;;) {
      const leftMs = Math.max(1, deadline - performance.now());
      const shareMs = withoutEngine === undefined ? leftMs : leftMs / 2;
      const reply = await this.#line.ask(verb, message, Math.min(tryMs, shareMs));
      if (reply.kind === "answer") return reply.answer;
      if (reply.kind === "error" && !transientErrors.has(reply.error.name)) throw refusal(verb, reply.error);
      const reason = reply.kind === "none" ? reply.reason : reply.error.message;
      const did = this.#line.isConnected ? await withoutEngine?.(() => performance.now() < deadline) : undefined;
      if (did !== undefined) return did;
      const { url: server, isClosed, isConnected } = this.#line;
      if (isClosed) throw new EngineUnreachable({ namespace, reason: "the client was closed", server });
      if (performance.now() + pauseMs >= deadline)
        throw new EngineUnreachable({ namespace, reason, server, isConnected });
      if (performance.now() - askedAt > longMs) this.#onSilence(reason);
      await this.#line.pause(pauseMs);
    }
  }
}

function deadlineOf(patience: Patience = {}): number {
  assertKnownOptions(patience, { options: ["timeout"], of: "a request", example: '{ timeout: "30s" }' });
  const { timeout } = patience;
  return performance.now() + (timeout === undefined ? patienceMs : parseDuration(timeout, "timeout"));
}

function refusal(verb: EngineVerb, { name, message }: { readonly name: string; readonly message: string }): Error {
  if (isUnknownFilter(message)) return new EngineRefused({ verb, reason: tooOld });
  if (name === "TypeError") return new TypeError(message);
  return name === "RangeError" ? new RangeError(message) : new EngineRefused({ verb, reason: message });
}
