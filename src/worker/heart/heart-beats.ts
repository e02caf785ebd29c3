// Heartbeats on behalf of workers whose event loop is blocked, over a connection that lives as long as the block.
import * as Effect from "effect/Effect";
import { connectNats } from "../../nats/connection.ts";
import type { NatsLink } from "../../nats/link.ts";
import type { NatsOptions } from "../../nats/options.ts";
import { Subjects } from "../../wire/subjects.ts";
import { decodeHeartbeatReply, type Register } from "../../wire/worker-messages.ts";
import { tellEngine } from "../presence/tell.ts";

export interface Block {
  readonly isOver: () => boolean;
  readonly workers: () => readonly Register[];
  /** How late the loop is. Units: milliseconds */
  readonly lagMs: () => number;
  /** The leader answered a heartbeat sent when the loop was this late. */
  readonly onHeard: (lagMs: number) => void;
}

const beatEveryMs = 4_000;
const lookEveryMs = 250;
const retryEveryMs = 2_000;

/** Resolves when the block is over; an unreachable server is retried until then. */
export const beatUntil = (nats: Omit<NatsOptions, "onFault">, block: Block): Promise<void> => {
  const subjects = new Subjects(nats.namespace);
  const beating = Effect.gen(function* () {
    const link = yield* connectNats({ ...nats, name: "natchet heart" });
    for (let pauseMs = 0; !block.isOver(); pauseMs -= lookEveryMs) {
      if (pauseMs <= 0 && link.isConnected()) {
        for (const worker of block.workers()) void beat(link, subjects, worker, block).catch(() => {}); // nobody leads just now
        pauseMs = beatEveryMs;
      }
      yield* Effect.sleep(lookEveryMs);
    }
  });
  const tried = Effect.ignore(Effect.scoped(beating));
  const pause = Effect.suspend(() => (block.isOver() ? Effect.void : Effect.sleep(retryEveryMs)));
  return Effect.runPromise(
    Effect.repeat(Effect.andThen(tried, pause), { while: () => !block.isOver() }).pipe(Effect.asVoid),
  );
};

/** What it executes is omitted: nothing has ended while the loop was blocked. A leader that does not know the worker gets a full registration. */
async function beat(link: NatsLink, subjects: Subjects, worker: Register, block: Block): Promise<void> {
  const lagMs = block.lagMs();
  const { id, secret, quiet } = worker;
  const reply = await tellEngine(
    { link, subjects },
    "heartbeat",
    { id, secret, quiet, lagMs, blocked: true },
    { executing: [] },
  );
  if (decodeHeartbeatReply(reply).known) return block.onHeard(lagMs);
  const { tasks, executing, ...head } = { ...worker, blocked: true };
  await tellEngine({ link, subjects }, "register", head, { tasks, executing });
}
