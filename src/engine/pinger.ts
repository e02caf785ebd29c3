// Presence, better than heartbeats alone: each worker is asked once a second, and "no responders" says that its connection is gone.
import { processOf } from "../matching/unheard.ts";
import type { NatsLink } from "../nats/link.ts";
import { hasEnded } from "../runtime/process.ts";
import { encodeMessage } from "../wire/messages.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Core } from "./core.ts";
import { isNoResponders } from "./no-responders.ts";

const everyMs = 1_000;

export class Pinger {
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(engine: string, link: NatsLink, subjects: Subjects, core: Core, neighbours: Neighbours) {
    const ask = async (id: string) => {
      try {
        await link.nc.request(subjects.worker(id, "ping"), encodeMessage({ epoch: core.state.epoch, engine }), {
          timeout: everyMs - 100,
        });
        core.handle({ type: "pong", id });
      } catch (error) {
        // No answer in time may be a blocked event loop: that is for the heartbeats to say.
        if (!isNoResponders(error)) return;
        const { leadership } = core.state;
        const process = leadership && processOf(leadership.matching, id);
        core.handle({ type: "unreachable", id, isDead: process !== undefined && hasEnded(process) });
      }
    };
    this.#timer = setInterval(() => {
      if (!core.state.isLeading || !link.isConnected()) return;
      for (const id of core.state.workers.keys()) {
        if (neighbours.isConnected(id)) core.handle({ type: "pong", id });
        else void ask(id);
      }
    }, everyMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
