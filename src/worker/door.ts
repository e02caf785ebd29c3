// What a worker hears: each subject as long as the scope lives.
import { Effect, type Scope } from "effect";
import type { Log } from "../domain/log.ts";
import type { Msg, NatsLink } from "../nats/link.ts";
import { Mouth } from "../nats/mouth.ts";

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
  Effect.suspend(() => {
    const mouth = new Mouth(link, log);
    const answer = (message: Msg, said: unknown) => void mouth.answer(message, said, `the answer on ${subject}`);
    const refuse = (message: Msg, problem: unknown) => {
      log.error("a message could not be read", { subject, error: problem });
      mouth.fail(message, problem);
    };
    return hearing(link, subject, (message) => {
      try {
        const said = reply(message.data);
        if (said instanceof Promise)
          said.then(
            (late) => answer(message, late),
            (problem: unknown) => refuse(message, problem),
          );
        else answer(message, said);
      } catch (problem) {
        refuse(message, problem);
      }
    });
  });
