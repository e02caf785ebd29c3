// How a process sends to addresses that others name: the inbox of a run, the reply subject of a request. It does so with its own
// rights, which may exceed theirs, so it sends only to inboxes; and it never throws, whatever they have sent.
import { PayloadTooLarge } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { encodeMessage, errorReply } from "../wire/messages.ts";
import { isInbox } from "../wire/result-inbox.ts";
import type { Msg, NatsLink } from "./link.ts";

/** Overhead of a message around its payload. Units: bytes */
const spareBytes = 256;
/** An error's text may repeat what was sent. */
const longestError = 4_000;
const tellEveryMs = 10_000;

export class Mouth {
  readonly #link: Pick<NatsLink, "nc" | "maxPayload" | "isConnected">;
  readonly #log: Log;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(link: Pick<NatsLink, "nc" | "maxPayload" | "isConnected">, log: Log) {
    this.#link = link;
    this.#log = log;
  }

  /** Sends to an inbox; false if it was not sent. */
  say(inbox: string, payload: Uint8Array): boolean {
    const { nc, maxPayload } = this.#link;
    if (!this.#link.isConnected()) return false;
    if (!isInbox(inbox)) return this.#refuse(inbox, "it is not an inbox");
    if (payload.length + spareBytes > maxPayload) return this.#refuse(inbox, `${payload.length} bytes do not fit`);
    try {
      nc.publish(inbox, payload);
      return true;
    } catch (error) {
      return this.#refuse(inbox, String(error));
    }
  }

  /** Answers a request; `what` names an answer that does not fit. Returns why an error was sent instead. */
  answer({ reply = "" }: Msg, answer: unknown, what: string): unknown {
    if (reply === "") return undefined; // it was not a request
    try {
      const payload = encodeMessage(answer);
      const limit = this.#link.maxPayload;
      if (payload.length + spareBytes > limit) throw new PayloadTooLarge({ what, bytes: payload.length, limit });
      this.say(reply, payload);
      return undefined;
    } catch (problem) {
      this.fail({ reply }, problem);
      return problem;
    }
  }

  /** Answers a request with what went wrong. */
  fail({ reply = "" }: Pick<Msg, "reply">, problem: unknown): void {
    const { name, message } = errorReply(problem).error;
    if (reply !== "") this.say(reply, encodeMessage({ error: { name, message: message.slice(0, longestError) } }));
  }

  #refuse(inbox: string, reason: string): false {
    const now = performance.now();
    if (now - this.#toldAt < tellEveryMs) return false;
    this.#toldAt = now;
    this.#log.warn("a reply cannot be sent to this address", { inbox: inbox.slice(0, 200), reason });
    return false;
  }
}
