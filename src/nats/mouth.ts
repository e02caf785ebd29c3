// The mouth of a process: how it sends to addresses that others have named, such as the inbox of a run or the reply subject of a request. It does
// so with its own rights, which may exceed theirs, so it sends to inboxes only. And it never throws, whatever others have sent.
import { PayloadTooLarge } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { encodeMessage, errorReply } from "../wire/messages.ts";
import { isInbox } from "../wire/result-inbox.ts";
import type { Msg, NatsLink } from "./link.ts";

/** What a message needs around its payload. Units: bytes */
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

  /** Sends to an inbox. Returns whether it was sent. */
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

  /** Answers a request. Returns the problem if an error was sent instead. `what`: what the error calls an answer that does not fit. */
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
