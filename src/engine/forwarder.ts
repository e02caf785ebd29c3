// Sends results to waiting clients. Small ones that were just folded are sent; for the rest, the client learns where they are in the
// log and reads them there: each entry once for all its results, and no more at a time than it can take.

import { groupsBySize } from "../collections/groups.ts";
import type { Log } from "../domain/log.ts";
import type { ForwardCommand } from "../matching/commands.ts";
import type { NatsLink } from "../nats/link.ts";
import { Mouth } from "../nats/mouth.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import { encodeMessage } from "../wire/messages.ts";
import { encodeOutcomeEntry, type Outcome } from "../wire/outcome-entry.ts";
import type { EndedRun } from "../wire/verbs.ts";
import type { Follower } from "./follower.ts";

/** All that one tick has for an inbox. */
interface Parcel {
  readonly frames: Uint8Array[];
  readonly ended: EndedRun[];
}

/** A burst of larger ones would exceed what the server buffers for a slow client. Units: bytes */
const largestSent = 32 * 1_024;
/** Size of an ended run in a message, besides its key. Units: bytes */
const referenceBytes = 64;
/** A character of a key in JSON has at most six bytes. */
const bytesOfCharacter = 6;

export class Forwarder {
  readonly #link: NatsLink;
  readonly #mouth: Mouth;
  readonly #follower: Pick<Follower, "current">;
  readonly #parcels = new Map<string, Parcel>();
  readonly #sendSoon = onceATick(() => this.#sendAll(), queueMicrotask);

  constructor(link: NatsLink, follower: Pick<Follower, "current">, log: Log) {
    this.#link = link;
    this.#mouth = new Mouth(link, log);
    this.#follower = follower;
  }

  /** Best effort: a client that got nothing asks again. */
  forward({ inbox, key, seq, index }: ForwardCommand): void {
    const { current } = this.#follower;
    const outcome = current?.seq === seq ? current.outcomes[index] : undefined;
    const parcel = this.#parcels.get(inbox) ?? { frames: [], ended: [] };
    this.#parcels.set(inbox, parcel);
    if (outcome !== undefined && sizeOf(outcome) <= largestSent) parcel.frames.push(outcome.result);
    else parcel.ended.push({ key, seq, index });
    this.#sendSoon();
  }

  #sendAll(): void {
    const room = this.#link.maxPayload / 2;
    for (const [inbox, { frames, ended }] of this.#parcels) {
      for (const group of groupsBySize(frames, room, (frame) => frame.length))
        this.#mouth.say(inbox, encodeOutcomeEntry("engine", group));
      for (const group of groupsBySize(ended, room, ({ key }) => key.length * bytesOfCharacter + referenceBytes))
        this.#mouth.say(inbox, encodeMessage({ ended: group }));
    }
    this.#parcels.clear();
  }
}

const sizeOf = ({ kind, detailBytes, output }: Outcome): number =>
  kind === "completed" ? output.length : detailBytes.length;
