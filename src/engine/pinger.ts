// Faster than heartbeats alone: each worker is pinged once a second, and "no responders" means that its connection is gone.
import type { Leader } from "../leader/leader.ts";
import { processOf } from "../matching/unseen/unheard.ts";
import { isNoResponders } from "../nats/no-responders.ts";
import { hasEnded } from "../runtime/process.ts";
import { proofOf } from "../runtime/worker-identity.ts";
import { encodeMessage } from "../wire/messages.ts";

export const pingEveryMs = 1_000;

export class Pinger {
  readonly #leader: Leader;
  /** Number of pings with a proof. */
  #n = 0;

  constructor(leader: Leader) {
    this.#leader = leader;
  }

  /** Pings all workers without waiting: the scheduler gets their answers. */
  pingAll(): void {
    const leader = this.#leader;
    const { link, neighbours } = leader;
    if (!link.isConnected()) return;
    for (const id of leader.state.workers.keys()) {
      if (neighbours.isConnected(id)) leader.handle({ type: "pong", id });
      else void this.#ping(id);
    }
  }

  async #ping(id: string): Promise<void> {
    const leader = this.#leader;
    const { link, subjects } = leader;
    try {
      await link.nc.request(subjects.worker(id, "ping"), this.#question(id), { timeout: pingEveryMs - 100 });
      leader.handle({ type: "pong", id });
    } catch (error) {
      // No answer in time may be a blocked event loop: the heartbeats decide that.
      if (!isNoResponders(error)) return;
      const { leadership } = leader.state;
      const process = leadership && processOf(leadership.matching, id);
      leader.handle({ type: "unreachable", id, isDead: process !== undefined && hasEnded(process) });
    }
  }

  /** Without a proof for a worker that has not registered with this leader: it does so when it hears of it. */
  #question(id: string): Uint8Array {
    const { engine, state } = this.#leader;
    const { epoch, workers } = state;
    const secret = workers.get(id)?.secret;
    if (secret === undefined) return encodeMessage({ epoch, engine });
    const n = ++this.#n;
    return encodeMessage({ epoch, engine, n, proof: proofOf(secret, "ping", epoch, n) });
  }
}
