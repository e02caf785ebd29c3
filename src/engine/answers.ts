// Every request is answered: with what was asked for, or with an error; a malformed one too, and one whose answer would be too large.
import { PayloadTooLarge } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import type { Msg, NatsLink, Subscription } from "../nats/link.ts";
import { encodeMessage, errorReply, notLeading } from "../wire/messages.ts";
import type { EngineVerb, Subjects } from "../wire/subjects.ts";

export interface AnswersParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly isLeading: () => boolean;
  readonly log: Log;
}

/** What a message has around its payload. Units: bytes */
const spareBytes = 256;

export class Answers {
  readonly #parts: AnswersParts;
  #subscriptions: Subscription[] = [];

  constructor(parts: AnswersParts) {
    this.#parts = parts;
  }

  /** Answers the requests of a verb from now on. */
  give(verb: EngineVerb, reply: (data: Uint8Array) => unknown): void {
    const { link, subjects } = this.#parts;
    const subscription = link.nc.subscribe(subjects.engine(verb), {
      callback: (error, message) => {
        if (error === null) void this.#respond(verb, message, reply);
      },
    });
    this.#subscriptions.push(subscription);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
  }

  async #respond(verb: EngineVerb, message: Msg, reply: (data: Uint8Array) => unknown): Promise<void> {
    try {
      const answer = encodeMessage(await reply(message.data));
      // What an engine knows that leads no longer, or what it did, may not count any more.
      if (!this.#parts.isLeading()) throw new NotLeading("this engine no longer leads");
      this.#assertFits(verb, answer);
      message.respond(answer);
    } catch (problem) {
      if (!(problem instanceof NotLeading)) this.#parts.log.warn("a request was refused", { verb, error: problem });
      message.respond(encodeMessage(briefly(errorReply(problem))));
    }
  }

  #assertFits(verb: EngineVerb, answer: Uint8Array): void {
    const { maxPayload } = this.#parts.link;
    if (answer.length + spareBytes <= maxPayload) return;
    throw new PayloadTooLarge({ what: `the answer to "${verb}"`, bytes: answer.length, limit: maxPayload });
  }
}

class NotLeading extends Error {
  override readonly name = notLeading;
}

const longestMessage = 4_000;

/** The text of an error may repeat what was sent. */
const briefly = ({ error: { name, message } }: ReturnType<typeof errorReply>): ReturnType<typeof errorReply> => ({
  error: { name, message: message.slice(0, longestMessage) },
});
