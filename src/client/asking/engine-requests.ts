// client/asking/: what engines are asked, and for how long.
// Requests to the leading engine, which is waited for until a deadline. Every request may be repeated: one that went to an engine that no longer
// leads, or whose answer was lost, is sent again.
import { EngineRefused, EngineUnreachable, PayloadTooLarge } from "../../domain/errors.ts";
import type { WorkerInfo } from "../../domain/listing.ts";
import { encodeMessage, transientErrors } from "../../wire/messages.ts";
import { isUnknownFilter, sentFilter } from "../../wire/run-filter.ts";
import type { CancelRuns, ChangeCron, EngineVerb, ListRuns, Replies, SendSignal } from "../../wire/verbs.ts";
import type { LeaderLine } from "./leader-line.ts";
import { longMs } from "./patience.ts";

const pauseMs = 200;
/** What a message needs around its payload. Units: bytes */
const spareBytes = 256;

const tooOld =
  "it is of an older version, which does not know all of the filter: upgrade the engine (docs/production/upgrade.md)";

/** Does what an engine was asked for, without one. Undefined if it cannot. `maySend`: whether the caller still waits. */
type WithoutEngine<A> = (maySend: () => boolean) => Promise<A | undefined>;

interface Keys {
  readonly runs: readonly string[];
}
interface NextPage {
  readonly after?: string;
}
/** What clients ask, by verb. Written out, because published types are not inferred. */
interface Requests {
  readonly get: { readonly key: string };
  readonly list: ListRuns;
  readonly cancel: CancelRuns;
  readonly signal: SendSignal;
  readonly erase: Keys;
  /** `delayMs`, if given, takes precedence: this process's clock may differ from the engine's. */
  readonly reschedule: Keys & { readonly dueAt: number; readonly delayMs?: number };
  readonly pause: {
    readonly task?: string;
    readonly worker?: string;
    readonly namespace?: boolean;
    readonly paused: boolean;
  };
  readonly cron: ChangeCron;
  readonly crons: NextPage;
  readonly workers: NextPage;
  readonly queues: NextPage;
}

export class EngineRequests {
  readonly #line: LeaderLine;
  readonly #onSilence: (reason: string) => void;

  /** `onSilence` is called when somebody has waited for an answer for long. */
  constructor(line: LeaderLine, onSilence: (reason: string) => void = () => {}) {
    this.#line = line;
    this.#onSilence = onSilence;
  }

  /** The largest message that the server accepts. Units: bytes */
  get maxPayload(): number {
    return this.#line.link.maxPayload;
  }

  /** Asks until the deadline. `withoutEngine` is tried whenever no engine answers. Fails: EngineUnreachable, EngineRefused, PayloadTooLarge, TypeError, RangeError */
  async ask<V extends keyof Requests>(
    verb: V,
    request: Requests[V],
    deadline: number,
    withoutEngine?: WithoutEngine<Replies[V]>,
  ): Promise<Replies[V]> {
    const message = this.#messageOf(verb, request);
    const { link } = this.#line;
    const askedAt = performance.now();
    for (;;) {
      const leftMs = Math.max(1, deadline - performance.now());
      const reply = await this.#line.ask(verb, message, withoutEngine === undefined ? leftMs : leftMs / 2);
      if (reply.kind === "answer") return reply.answer;
      if (reply.kind === "error" && !transientErrors.has(reply.error.name)) throw refusal(verb, reply.error);
      const reason = reply.kind === "none" ? reply.reason : reply.error.message;
      const did = link.isConnected() ? await withoutEngine?.(() => performance.now() < deadline) : undefined;
      if (did !== undefined) return did;
      const { url: server, namespace } = link;
      if (link.nc.isClosed()) throw new EngineUnreachable({ namespace, reason: "the client was closed", server });
      if (performance.now() + pauseMs >= deadline)
        throw new EngineUnreachable({ namespace, reason, server, isConnected: link.isConnected() });
      if (performance.now() - askedAt > longMs) this.#onSilence(reason);
      await this.#line.pause(pauseMs);
    }
  }

  /** A whole list, in as many requests as it takes. */
  async all<V extends "crons" | "workers" | "queues", T>(
    verb: V,
    itemsOf: (page: Replies[V]) => readonly T[],
    deadline: number,
  ): Promise<T[]> {
    const items: T[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const request = (after === "" ? {} : { after }) as Requests[V];
      const page: Replies[V] = await this.ask(verb, request, deadline);
      items.push(...itemsOf(page));
      after = page.next;
    }
    return items;
  }

  /** All workers. One with many tasks comes in parts, which follow one another. */
  async workers(deadline: number): Promise<readonly WorkerInfo[]> {
    const workers = new Map<string, WorkerInfo>();
    for (const part of await this.all("workers", (page) => page.workers, deadline)) {
      const before = workers.get(part.id);
      workers.set(part.id, before === undefined ? part : { ...part, tasks: [...before.tasks, ...part.tasks] });
    }
    return [...workers.values()];
  }

  #messageOf(verb: EngineVerb, request: object): Uint8Array {
    const message = encodeMessage(sentFilter(request));
    const limit = this.maxPayload;
    if (message.length + spareBytes <= limit) return message;
    throw new PayloadTooLarge({ what: `the request "${verb}"`, bytes: message.length, limit });
  }
}

function refusal(verb: EngineVerb, { name, message }: { readonly name: string; readonly message: string }): Error {
  if (isUnknownFilter(message)) return new EngineRefused({ verb, reason: tooOld });
  if (name === "TypeError") return new TypeError(message);
  return name === "RangeError" ? new RangeError(message) : new EngineRefused({ verb, reason: message });
}
