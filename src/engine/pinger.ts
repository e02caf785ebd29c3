// The pinger asks each worker once a second whether it is there: "no responders" says that its connection is gone, sooner than missing
// heartbeats would.
import type { Leader } from "../leader/leader.ts";
import { processOf } from "../matching/unseen/unheard.ts";
import { isNoResponders } from "../nats/no-responders.ts";
import { hasEnded } from "../runtime/process.ts";
import { encodeMessage } from "../wire/messages.ts";
import { provenTo } from "./proven.ts";

export const pingEveryMs = 1_000;

/** Pings all workers, without waiting for them: their answers go to the scheduler. */
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
  // A worker that has not registered with this leader does so when it receives the ping.
  const question = encodeMessage({ epoch: state.epoch, engine, ...provenTo(leader, id, "ping") });
  try {
    await link.nc.request(subjects.worker(id, "ping"), question, { timeout: pingEveryMs - 100 });
    leader.handle({ type: "pong", id });
  } catch (error) {
    // A worker that does not answer in time may only have a blocked event loop: the heartbeats decide.
    if (!isNoResponders(error)) return;
    const { leadership } = leader.state;
    const process = leadership && processOf(leadership.matching, id);
    leader.handle({ type: "unreachable", id, isDead: process !== undefined && hasEnded(process) });
  }
}
