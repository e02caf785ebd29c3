// The admission gate of a client: whether new runs are accepted. It asks the bucket when it connects, and listens to the leader from then on.
import { QueueFull } from "../domain/errors.ts";
import { parseJson } from "../wire/messages.ts";
import type { AdmissionFlag } from "../wire/records.ts";
import { isAdmissionFlag } from "../wire/records.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { NatsLink } from "./link.ts";
import { listen } from "./listen.ts";
import { RecordStore } from "./record-store.ts";

/** How often the bucket is read while runs are refused: the message that they are accepted again may get lost. */
const lookAgainMs = 2_000;

export class AdmissionGate {
  readonly #namespace: string;
  #flag: AdmissionFlag | undefined;
  readonly #look: () => void;
  #lookedAt = Number.NEGATIVE_INFINITY;
  readonly #end: (() => void)[];

  constructor(link: NatsLink, subjects: Subjects) {
    this.#namespace = subjects.namespace;
    const records = new RecordStore(link, subjects);
    this.#look = () => {
      this.#lookedAt = performance.now();
      records.glimpse("admission").then(
        (flag) => this.#set(flag),
        () => {}, // not readable just now: the stream's own limit still holds
      );
    };
    const stopListening = listen(link, subjects.admission, ({ data }) => this.#hear(data));
    this.#end = [stopListening, link.onReconnect(this.#look)];
    this.#look();
  }

  /** Fails: QueueFull while new runs are refused */
  assertOpen(): void {
    if (this.#flag === undefined || this.#flag.isOpen) return;
    const { bytes, maxBytes, reason = `${bytes} bytes are stored, the limit is ${maxBytes}` } = this.#flag;
    if (performance.now() - this.#lookedAt > lookAgainMs) this.#look();
    throw new QueueFull({ namespace: this.#namespace, reason });
  }

  /** What is wrong with the store, according to the leader, so that new runs are refused. */
  get storeTrouble(): string | undefined {
    if (this.#flag?.isOpen !== false || this.#flag.reason === undefined) return undefined;
    if (performance.now() - this.#lookedAt > lookAgainMs) this.#look();
    return this.#flag.reason;
  }

  close(): void {
    for (const end of this.#end) end();
  }

  /** Believes what the leader announces, since it cannot store that the store is full. Everything else announced here is soon in the bucket too. */
  #hear(message: Uint8Array): void {
    try {
      const flag = parseJson(message, "admission flag");
      if (isAdmissionFlag(flag)) this.#set(flag);
      else this.#look();
    } catch {
      this.#look(); // not from the leader
    }
  }

  #set(flag: unknown): void {
    this.#flag = isAdmissionFlag(flag) ? flag : undefined;
  }
}
