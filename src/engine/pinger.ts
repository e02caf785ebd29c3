// Faster than heartbeats alone: each worker is pinged once a second, and "no responders" means that its connection is gone.
import { processOf } from "../matching/unheard.ts";
import type { NatsLink } from "../nats/link.ts";
import { isNoResponders } from "../nats/no-responders.ts";
import { hasEnded } from "../runtime/process.ts";
import { proofOf } from "../runtime/worker-identity.ts";
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

export class Pinger {
  readonly #parts: PingParts;
  /** Number of pings with a proof. */
  #n = 0;

  constructor(parts: PingParts) {
    this.#parts = parts;
  }

  /** Pings all workers without waiting: the scheduler gets their answers. */
  pingAll(): void {
    const { link, core, neighbours } = this.#parts;
    if (!link.isConnected()) return;
    for (const id of core.state.workers.keys()) {
      if (neighbours.isConnected(id)) core.handle({ type: "pong", id });
      else void this.#ping(id);
    }
  }

  async #ping(id: string): Promise<void> {
    const { link, subjects, core } = this.#parts;
    try {
      await link.nc.request(subjects.worker(id, "ping"), this.#question(id), { timeout: pingEveryMs - 100 });
      core.handle({ type: "pong", id });
    } catch (error) {
      // No answer in time may be a blocked event loop: the heartbeats decide that.
      if (!isNoResponders(error)) return;
      const { leadership } = core.state;
      const process = leadership && processOf(leadership.matching, id);
      core.handle({ type: "unreachable", id, isDead: process !== undefined && hasEnded(process) });
    }
  }

  /** Without a proof for a worker that has not registered with this leader: it does so when it hears of it. */
  #question(id: string): Uint8Array {
    const { engine, core } = this.#parts;
    const { epoch, workers } = core.state;
    const secret = workers.get(id)?.secret;
    if (secret === undefined) return encodeMessage({ epoch, engine });
    const n = ++this.#n;
    return encodeMessage({ epoch, engine, n, proof: proofOf(secret, "ping", epoch, n) });
  }
}
