// Brings results to those who wait: all that one tick has for an inbox travels in one message.
import type { Log } from "../domain/log.ts";
import type { NatsLink } from "../nats/link.ts";
import type { RunStore } from "../nats/run-store.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry } from "../protocol/outcome-entry.ts";
import type { ForwardCommand } from "../scheduler/commands.ts";
import type { Follower } from "./follower.ts";

interface Parcel {
  frames: Uint8Array[];
  bytes: number;
}

export class Forwarder {
  readonly #link: NatsLink;
  readonly #store: RunStore;
  readonly #follower: Follower;
  readonly #log: Log;
  readonly #parcels = new Map<string, Parcel>();
  #isScheduled = false;

  constructor(link: NatsLink, store: RunStore, follower: Follower, log: Log) {
    this.#link = link;
    this.#store = store;
    this.#follower = follower;
    this.#log = log;
  }

  forward(command: ForwardCommand): void {
    const { current } = this.#follower;
    const outcome = current?.seq === command.seq ? current.outcomes[command.index] : undefined;
    if (outcome !== undefined) this.#pack(command.inbox, outcome.result);
    else void this.#forwardStored(command);
  }

  /** Forwarding is best effort: a client that got nothing asks again. */
  async #forwardStored({ inbox, seq, index, key }: ForwardCommand): Promise<void> {
    try {
      const stored = await this.#store.read(seq);
      const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[index];
      if (outcome !== undefined) this.#pack(inbox, outcome.result);
    } catch (error) {
      this.#log.warn("a result could not be forwarded", { run: key, error });
    }
  }

  #pack(inbox: string, frame: Uint8Array): void {
    let parcel = this.#parcels.get(inbox);
    if (parcel === undefined) {
      parcel = { frames: [], bytes: 0 };
      this.#parcels.set(inbox, parcel);
    } else if (parcel.bytes + frame.length > this.#link.maxPayload / 2) {
      this.#send(inbox, parcel);
      parcel.frames = [];
      parcel.bytes = 0;
    }
    parcel.frames.push(frame);
    parcel.bytes += frame.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#sendAll());
  }

  #sendAll(): void {
    this.#isScheduled = false;
    for (const [inbox, parcel] of this.#parcels) this.#send(inbox, parcel);
    this.#parcels.clear();
  }

  #send(inbox: string, parcel: Parcel): void {
    if (this.#link.isConnected()) this.#link.nc.publish(inbox, encodeOutcomeEntry("engine", parcel.frames));
  }
}
