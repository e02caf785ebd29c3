// The forwarder sends results to waiting clients. A small result that was just folded is sent itself. For any other, the client is told the
// place in the log and reads it there: each entry once for all its results, and no more at a time than the client can take.

import { groupsBySize } from "../collections/groups.ts";
import type { Leader } from "../leader/leader.ts";
import type { ForwardCommand } from "../matching/commands.ts";
import { Mouth } from "../nats/mouth.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import { encodeMessage } from "../wire/messages.ts";
import { encodeOutcomeEntry, type Outcome } from "../wire/outcome-entry.ts";
import type { EndedRun } from "../wire/verbs.ts";

/** Everything that one tick has for one inbox. */
interface Parcel {
  readonly frames: Uint8Array[];
  readonly ended: EndedRun[];
}

/** A burst of larger results would exceed what the server buffers for a slow client. Units: bytes */
const largestSent = 32 * 1_024;
/** Size of an ended run in a message, besides its key. Units: bytes */
const referenceBytes = 64;
/** A character of a key in JSON has at most six bytes. */
const bytesOfCharacter = 6;

export class Forwarder {
  readonly #leader: Pick<Leader, "link" | "folding" | "log">;
  readonly #mouth: Mouth;
  readonly #parcels = new Map<string, Parcel>();
  readonly #sendSoon = onceATick(() => this.#sendAll(), queueMicrotask);

  constructor(leader: Pick<Leader, "link" | "folding" | "log">) {
    this.#leader = leader;
    this.#mouth = new Mouth(leader.link, leader.log);
  }

  /** Not retried: a client that receives nothing asks again. */
  forward({ inbox, key, seq, index }: ForwardCommand): void {
    const { folding } = this.#leader;
    const outcome = folding?.seq === seq ? folding.outcomes[index] : undefined;
    const parcel = this.#parcels.get(inbox) ?? { frames: [], ended: [] };
    this.#parcels.set(inbox, parcel);
    if (outcome !== undefined && sizeOf(outcome) <= largestSent) parcel.frames.push(outcome.result);
    else parcel.ended.push({ key, seq, index });
    this.#sendSoon();
  }

  #sendAll(): void {
    const room = this.#leader.link.maxPayload / 2;
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
