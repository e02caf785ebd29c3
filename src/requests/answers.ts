// Answers requests, or stays silent if the answer may be wrong.
import type * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Leader } from "../leader/leader.ts";
import { answering } from "../nats/door.ts";
import { notLeading } from "../wire/messages.ts";
import { type AllReplies, decodeRequest, type EngineVerb, type RequestOf } from "../wire/verbs.ts";

export type Answering<V extends EngineVerb> = (request: RequestOf<V>) => AllReplies[V] | Promise<AllReplies[V]>;

/** Answers the requests of a verb as long as the scope is open. */
export const answersTo = <V extends EngineVerb>(
  leader: Pick<Leader, "link" | "subjects" | "log" | "term">,
  verb: V,
  reply: Answering<V>,
): Effect.Effect<unknown, never, Scope.Scope> => {
  const { link, subjects, log } = leader;
  const onRefused = (error: unknown) => {
    if (!(error instanceof NotLeading)) log.warn("a request was refused", { verb, error });
  };
  return answering({ link, log, onRefused }, subjects.engine(verb), async (data) => {
    const { term } = leader;
    // What a leader knew or did in a term that is over may no longer count, nor why it could not do it: the next leader is asked.
    const assertCounts = () => {
      if (!term.isCurrent) throw new NotLeading("this engine no longer leads");
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
