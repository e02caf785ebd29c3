// What a process listens to, and the requests that it answers: each subject for as long as a scope is open.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Log } from "../domain/log.ts";
import type { Msg, NatsLink } from "./link.ts";
import { listen } from "./listen.ts";
import { Mouth } from "./mouth.ts";

export const hearing = (
  link: NatsLink,
  subject: string,
  hear: (message: Msg) => void,
): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => listen(link, subject, hear)),
    (end) => Effect.sync(end),
  );

export interface DoorParts {
  readonly link: NatsLink;
  readonly log: Log;
  /** Called with each problem that was answered as an error. @default it is logged */
  readonly onRefused?: (problem: unknown) => void;
}

/** Answers requests with what `reply` returns, or with an error: also malformed requests, and those whose answer would be too large. */
export const answering = (
  { link, log, onRefused }: DoorParts,
  subject: string,
  reply: (data: Uint8Array) => unknown,
): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.suspend(() => {
    const mouth = new Mouth(link, log);
    const told = onRefused ?? ((error) => log.error("a message could not be read", { subject, error }));
    const answer = (message: Msg, said: unknown) => {
      const problem = mouth.answer(message, said, `the answer on ${subject}`);
      if (problem !== undefined) told(problem);
    };
    const refuse = (message: Msg, problem: unknown) => {
      mouth.fail(message, problem);
      told(problem);
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
