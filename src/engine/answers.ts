// Every request is answered: with what was asked for, or with an error; a malformed one too, and one whose answer would be too large.
import type { Log } from "../domain/log.ts";
import type { Msg, NatsLink, Subscription } from "../nats/link.ts";
import { Mouth } from "../nats/mouth.ts";
import { notLeading } from "../wire/messages.ts";
import type { EngineVerb, Subjects } from "../wire/subjects.ts";

export interface AnswersParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly isLeading: () => boolean;
  readonly log: Log;
}

export class Answers {
  readonly #parts: AnswersParts;
  readonly #mouth: Mouth;
  #subscriptions: Subscription[] = [];

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#mouth = new Mouth(parts.link, parts.log);
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
      const answer = await reply(message.data);
      // What an engine knows that leads no longer, or what it did, may not count any more.
      if (!this.#parts.isLeading()) throw new NotLeading("this engine no longer leads");
      const problem = this.#mouth.answer(message, answer, `the answer to "${verb}"`);
      if (problem !== undefined) this.#tell(verb, problem);
    } catch (problem) {
      this.#mouth.fail(message, problem);
      if (!(problem instanceof NotLeading)) this.#tell(verb, problem);
    }
  }

  #tell(verb: EngineVerb, error: unknown): void {
    this.#parts.log.warn("a request was refused", { verb, error });
  }
}

class NotLeading extends Error {
  override readonly name = notLeading;
}
