// Faster than heartbeats alone: each worker is pinged once a second, and "no responders" means that its connection is gone.
import type { Leader } from "../leader/leader.ts";
import { processOf } from "../matching/unseen/unheard.ts";
import { isNoResponders } from "../nats/no-responders.ts";
import { hasEnded } from "../runtime/process.ts";
import { encodeMessage } from "../wire/messages.ts";
import { provenTo } from "./proven.ts";

export const pingEveryMs = 1_000;

/** Pings all workers without waiting: the scheduler gets their answers. */
export function pingAll(leader: Leader): void {
  const { link, neighbours, state } = leader;
  if (!link.isConnected()) return;
  for (const id of state.workers.keys()) {
    if (neighbours.isConnected(id)) leader.handle({ type: "pong", id });
    else void ping(leader, id);
  }
}

async function ping(leader: Leader, id: string): Promise<void> {
  const { link, subjects, engine, state } = leader;
  // One that has not registered with this leader does so when it hears of it.
  const question = encodeMessage({ epoch: state.epoch, engine, ...provenTo(leader, id, "ping") });
  try {
    await link.nc.request(subjects.worker(id, "ping"), question, { timeout: pingEveryMs - 100 });
    leader.handle({ type: "pong", id });
  } catch (error) {
    // No answer in time may be a blocked event loop: the heartbeats decide that.
    if (!isNoResponders(error)) return;
    const { leadership } = leader.state;
    const process = leadership && processOf(leadership.matching, id);
    leader.handle({ type: "unreachable", id, isDead: process !== undefined && hasEnded(process) });
  }
}
