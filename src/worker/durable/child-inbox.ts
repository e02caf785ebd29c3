// Where a worker hears at once how children ended that it has just created: the server sends a copy of each outcome to the inbox which
// the entry of the run names.
import type { Msg } from "@nats-io/transport-node";
import { isFinal } from "../../domain/run.ts";
import type { NatsLink } from "../../nats/link.ts";
import { decodeOutcomeEntry, type Outcome } from "../../wire/outcome-entry.ts";
import { newResultInbox, type ResultInbox } from "../../wire/result-inbox.ts";

/** `time` epoch milliseconds; undefined: nothing more will be heard. */
type OnEnd = (end: { readonly outcome: Outcome; readonly sequence: number; readonly time: number } | undefined) => void;

export class ChildInbox {
  readonly #link: NatsLink;
  readonly #inbox: ResultInbox;
  /** By key of the child. */
  readonly #watched = new Map<string, OnEnd>();
  #isOpen = false;

  constructor(link: NatsLink) {
    this.#link = link;
    this.#inbox = newResultInbox(link.inboxPrefix);
  }

  /** What the entry of a watched child names. */
  get name(): string {
    return this.#inbox.made;
  }

  /** Hears the first end of a run; it is watched before it is stored. Returns a function that ends this. */
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

  /** In the order of the log. What is not an outcome was not sent by the server. */
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

  /** The first end of a run may have been missed. */
  #lostTrack(): void {
    const watched = [...this.#watched.values()];
    this.#watched.clear();
    for (const onEnd of watched) onEnd(undefined);
  }
}
