// Answers requests, or stays silent if the answer may be wrong.
import type { Effect, Scope } from "effect";
import type { Log } from "../domain/log.ts";
import type { Term } from "../leader/term.ts";
import { answering } from "../nats/door.ts";
import type { NatsLink } from "../nats/link.ts";
import { notLeading } from "../wire/messages.ts";
import type { Subjects } from "../wire/subjects.ts";
import { type AllReplies, decodeRequest, type EngineVerb, type RequestOf } from "../wire/verbs.ts";

export interface AnswersParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly term: () => Term;
  readonly log: Log;
}

export type Answering<V extends EngineVerb> = (request: RequestOf<V>) => AllReplies[V] | Promise<AllReplies[V]>;

/** Answers the requests of a verb as long as the scope is open. */
export const answersTo = <V extends EngineVerb>(
  { link, subjects, term, log }: AnswersParts,
  verb: V,
  reply: Answering<V>,
): Effect.Effect<unknown, never, Scope.Scope> => {
  const onRefused = (error: unknown) => {
    if (!(error instanceof NotLeading)) log.warn("a request was refused", { verb, error });
  };
  return answering({ link, log, onRefused }, subjects.engine(verb), async (data) => {
    const asked = term();
    // What a leader knew or did in a term that is over may no longer count, nor why it could not do it: the next leader is asked.
    const assertCounts = () => {
      if (!asked.isCurrent) throw new NotLeading("this engine no longer leads");
    };
    try {
      const answer = await reply(decodeRequest(verb, data));
      assertCounts();
      return answer;
    } catch (error) {
      assertCounts();
      throw error;
    }
  });
};

class NotLeading extends Error {
  override readonly name = notLeading;
}
