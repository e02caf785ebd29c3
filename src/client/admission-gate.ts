// Knows whether the engine takes new runs: from the bucket when the client connects, from the engine's word afterwards.
import { QueueFull } from "../domain/errors.ts";
import { Definitions } from "../nats/definitions.ts";
import type { NatsLink } from "../nats/link.ts";
import { type AdmissionFlag, parseJson } from "../protocol/messages.ts";
import type { Subjects } from "../protocol/subjects.ts";

export class AdmissionGate {
  readonly #namespace: string;
  #flag: AdmissionFlag | undefined;
  readonly #end: (() => void)[];

  constructor(link: NatsLink, subjects: Subjects) {
    this.#namespace = subjects.namespace;
    const definitions = new Definitions(link, subjects);
    const look = () =>
      definitions.get("admission").then(
        (flag) => this.#set(flag),
        () => {}, // not readable just now: the stream's own limit still holds
      );
    const subscription = link.nc.subscribe(subjects.admission, {
      callback: (error, message) => {
        if (error === null) this.#set(parseJson(message.data, "admission flag"));
      },
    });
    this.#end = [() => subscription.unsubscribe(), link.onReconnect(() => void look())];
    void look();
  }

  /** Fails: QueueFull while new runs are refused */
  assertOpen(): void {
    if (this.#flag === undefined || this.#flag.isOpen) return;
    const { bytes, maxBytes } = this.#flag;
    throw new QueueFull({ namespace: this.#namespace, reason: `${bytes} bytes are stored, the limit is ${maxBytes}` });
  }

  close(): void {
    for (const end of this.#end) end();
  }

  #set(flag: unknown): void {
    this.#flag = flag as AdmissionFlag | undefined;
  }
}
