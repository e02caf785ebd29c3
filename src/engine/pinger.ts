// Faster than heartbeats alone: each worker is pinged once a second, and "no responders" means that its connection is gone.
import { processOf } from "../matching/unheard.ts";
import type { NatsLink } from "../nats/link.ts";
import { isNoResponders } from "../nats/no-responders.ts";
import { hasEnded } from "../runtime/process.ts";
import { encodeMessage } from "../wire/messages.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Core } from "./core.ts";

export const pingEveryMs = 1_000;

export interface PingParts {
  readonly engine: string;
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly core: Core;
  readonly neighbours: Neighbours;
}

/** Pings all workers without waiting: the scheduler gets their answers. */
export function pingAll(parts: PingParts): void {
  const { link, core, neighbours } = parts;
  if (!link.isConnected()) return;
  for (const id of core.state.workers.keys()) {
    if (neighbours.isConnected(id)) core.handle({ type: "pong", id });
    else void ping(id, parts);
  }
}

async function ping(id: string, { engine, link, subjects, core }: PingParts): Promise<void> {
  const question = encodeMessage({ epoch: core.state.epoch, engine });
  try {
    await link.nc.request(subjects.worker(id, "ping"), question, { timeout: pingEveryMs - 100 });
    core.handle({ type: "pong", id });
  } catch (error) {
    // No answer in time may be a blocked event loop: the heartbeats decide that.
    if (!isNoResponders(error)) return;
    const { leadership } = core.state;
    const process = leadership && processOf(leadership.matching, id);
    core.handle({ type: "unreachable", id, isDead: process !== undefined && hasEnded(process) });
  }
}
