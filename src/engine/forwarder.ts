// Brings results to those who wait. What was folded this very moment and is small is sent; of the rest it is said where it stands in the
// log, and the client reads it there: each entry once for all its results, and no more at a time than it can take.

import type { Log } from "../domain/log.ts";
import type { ForwardCommand } from "../matching/commands.ts";
import type { NatsLink } from "../nats/link.ts";
import { Mouth } from "../nats/mouth.ts";
import { type EndedRun, encodeMessage } from "../wire/messages.ts";
import { encodeOutcomeEntry, type Outcome } from "../wire/outcome-entry.ts";
import type { Follower } from "./follower.ts";

/** All that one tick has for an inbox. */
interface Parcel {
  frames: Uint8Array[];
  bytes: number;
  ended: EndedRun[];
  /** Of the keys above. */
  characters: number;
}

/** A burst of larger ones would be more than the server keeps for a client that is slow to read. Units: bytes */
const largestSent = 32 * 1_024;
/** Beside its key, what a message says of an ended run. Units: bytes */
const referenceBytes = 64;
/** A character of a key in JSON has at most six bytes. */
const bytesOfCharacter = 6;

export class Forwarder {
  readonly #link: NatsLink;
  readonly #mouth: Mouth;
  readonly #follower: Pick<Follower, "current">;
  readonly #parcels = new Map<string, Parcel>();
  #isScheduled = false;

  constructor(link: NatsLink, follower: Pick<Follower, "current">, log: Log) {
    this.#link = link;
    this.#mouth = new Mouth(link, log);
    this.#follower = follower;
  }

  /** Best effort: a client that got nothing asks again. */
  forward({ inbox, key, seq, index }: ForwardCommand): void {
    const { current } = this.#follower;
    const outcome = current?.seq === seq ? current.outcomes[index] : undefined;
    const parcel = this.#parcelFor(inbox);
    if (outcome !== undefined && sizeOf(outcome) <= largestSent) this.#pack(inbox, parcel, outcome);
    else this.#refer(inbox, parcel, { key, seq, index });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#sendAll());
  }

  #parcelFor(inbox: string): Parcel {
    const begun = this.#parcels.get(inbox);
    if (begun !== undefined) return begun;
    const parcel: Parcel = { frames: [], bytes: 0, ended: [], characters: 0 };
    this.#parcels.set(inbox, parcel);
    return parcel;
  }

  #pack(inbox: string, parcel: Parcel, outcome: Outcome): void {
    const frame = outcome.result;
    if (parcel.bytes + frame.length > this.#link.maxPayload / 2) this.#sendFrames(inbox, parcel);
    parcel.frames.push(frame);
    parcel.bytes += frame.length;
  }

  #refer(inbox: string, parcel: Parcel, ended: EndedRun): void {
    const bytes = parcel.characters * bytesOfCharacter + parcel.ended.length * referenceBytes;
    if (bytes > this.#link.maxPayload / 2) this.#sendReferences(inbox, parcel);
    parcel.ended.push(ended);
    parcel.characters += ended.key.length;
  }

  #sendAll(): void {
    this.#isScheduled = false;
    for (const [inbox, parcel] of this.#parcels) {
      this.#sendFrames(inbox, parcel);
      this.#sendReferences(inbox, parcel);
    }
    this.#parcels.clear();
  }

  #sendFrames(inbox: string, parcel: Parcel): void {
    if (parcel.frames.length > 0) this.#send(inbox, encodeOutcomeEntry("engine", parcel.frames));
    parcel.frames = [];
    parcel.bytes = 0;
  }

  #sendReferences(inbox: string, parcel: Parcel): void {
    if (parcel.ended.length > 0) this.#send(inbox, encodeMessage({ ended: parcel.ended }));
    parcel.ended = [];
    parcel.characters = 0;
  }

  #send(inbox: string, message: Uint8Array): void {
    this.#mouth.say(inbox, message);
  }
}

const sizeOf = ({ kind, detailBytes, output }: Outcome): number =>
  kind === "completed" ? output.length : detailBytes.length;
