// What a worker hears: each subject as long as the scope lives.
import { Effect, type Scope } from "effect";
import type { Log } from "../domain/log.ts";
import type { Msg, NatsLink } from "../nats/link.ts";
import { encodeMessage, errorReply } from "../wire/messages.ts";

export const hearing = (
  { nc }: NatsLink,
  subject: string,
  hear: (message: Msg) => void,
): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      nc.subscribe(subject, { callback: (error, message) => (error === null ? hear(message) : undefined) }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  );

/** Answers requests; a malformed one is answered with its error and changes nothing. */
export const answering = (
  { link, log }: { readonly link: NatsLink; readonly log: Log },
  subject: string,
  reply: (data: Uint8Array) => unknown,
): Effect.Effect<unknown, never, Scope.Scope> =>
  hearing(link, subject, (message) => {
    try {
      const answer = reply(message.data);
      if (answer instanceof Promise) void answer.then((late) => message.respond(encodeMessage(late)));
      else message.respond(encodeMessage(answer));
    } catch (problem) {
      log.error("a message could not be read", { subject, error: problem });
      message.respond(encodeMessage(errorReply(problem)));
    }
  });
