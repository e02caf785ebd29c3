// The child inbox: where a worker hears at once how the children end that it has just created. The entry of each child names the inbox, and
// the server sends a copy of each of its outcomes there.
import type { Msg } from "@nats-io/transport-node";
import { isFinal } from "../../domain/run.ts";
import type { NatsLink } from "../../nats/link.ts";
import { decodeOutcomeEntry, type Outcome } from "../../wire/outcome-entry.ts";
import { newResultInbox, type ResultInbox } from "../../wire/result-inbox.ts";

/** Undefined if nothing more will be heard of the run. Units: `time` epoch milliseconds */
type OnEnd = (end: { readonly outcome: Outcome; readonly sequence: number; readonly time: number } | undefined) => void;

export class ChildInbox {
  readonly #link: NatsLink;
  readonly #inbox: ResultInbox;
  /** Who hears of a child's end, by the key of the child. */
  readonly #watched = new Map<string, OnEnd>();
  #isOpen = false;

  constructor(link: NatsLink) {
    this.#link = link;
    this.#inbox = newResultInbox(link.inboxPrefix);
  }

  /** The name of the inbox in the entry of a watched child. */
  get name(): string {
    return this.#inbox.made;
  }

  /** Calls back with the first end of a run. To be called before the run is stored. Returns a function that ends the watch. */
  watch(key: string, onEnd: OnEnd): () => void {
    this.#open();
    this.#watched.set(key, onEnd);
    return () => {
      if (this.#watched.get(key) === onEnd) this.#watched.delete(key);
    };
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#link.nc.subscribe(this.#inbox.log, {
      callback: (error, message) => {
        if (error === null) this.#hear(message);
        else this.#lostTrack();
      },
    });
    this.#link.onDisconnect(() => this.#lostTrack());
  }

  /** Messages come in the order of the log. One that does not decode as outcomes was not sent by the server. */
  #hear({ data, headers }: Msg): void {
    let outcomes: readonly Outcome[];
    try {
      outcomes = decodeOutcomeEntry(data).outcomes;
    } catch {
      return;
    }
    const sequence = Number(headers?.get("Nats-Sequence"));
    if (!(sequence > 0)) return;
    const storedAt = Date.parse(headers?.get("Nats-Time-Stamp") ?? "");
    const time = Number.isNaN(storedAt) ? this.#link.clock.now() : storedAt;
    for (const outcome of outcomes) {
      const onEnd = isFinal(outcome.kind) ? this.#watched.get(outcome.key) : undefined;
      if (onEnd === undefined) continue;
      this.#watched.delete(outcome.key);
      onEnd({ outcome, sequence, time });
    }
  }

  /** Gives up every watch: the first end of any run may have been missed. */
  #lostTrack(): void {
    const watched = [...this.#watched.values()];
    this.#watched.clear();
    for (const onEnd of watched) onEnd(undefined);
  }
}
