// Refuses new runs before the stream is full: a full stream would refuse outcomes too, so the flag is raised at `maxBytes` and the
// stream's own limit lies a reserve above it. Clients are told at once and find the flag in the bucket when they connect.
import type { Log } from "../domain/log.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { NatsLink } from "../nats/link.ts";
import type { RunStore } from "../nats/run-store.ts";
import { type AdmissionFlag, encodeMessage } from "../protocol/messages.ts";
import type { Subjects } from "../protocol/subjects.ts";

export interface AdmissionParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly store: RunStore;
  readonly definitions: Definitions;
  readonly log: Log;
  /** Stored bytes at which new runs are refused; undefined is without limit, and lifts the flag of a leader that had one. */
  readonly maxBytes: number | undefined;
  readonly isLeading: () => boolean;
}

const everyMs = 1_000;
/** Opens again only when there is some room, so that the flag does not flicker. */
const reopenBelow = 0.95;

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #timer: ReturnType<typeof setInterval>;
  /** What clients were told last; undefined until the bucket was read. */
  #isOpen: boolean | undefined;
  #isLooking = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#look(), everyMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { store, log, isLeading, link, maxBytes = Number.MAX_SAFE_INTEGER } = this.#parts;
    const hasNothingToDo = this.#isOpen === true && this.#parts.maxBytes === undefined;
    if (hasNothingToDo || this.#isLooking || !link.isConnected()) return;
    if (!isLeading()) {
      this.#isOpen = undefined; // another leader may speak meanwhile
      return;
    }
    this.#isLooking = true;
    try {
      this.#isOpen ??= ((await this.#parts.definitions.get("admission")) as AdmissionFlag | undefined)?.isOpen ?? true;
      const bytes = await store.storedBytes();
      const isOpen = bytes < maxBytes * (this.#isOpen ? 1 : reopenBelow);
      if (isOpen !== this.#isOpen) await this.#tell({ isOpen, bytes, maxBytes });
      this.#isOpen = isOpen;
    } catch (error) {
      log.debug("the size of the log is not known", { error });
    } finally {
      this.#isLooking = false;
    }
  }

  async #tell(flag: AdmissionFlag): Promise<void> {
    const { definitions, link, subjects, log } = this.#parts;
    await definitions.put("admission", flag);
    link.nc.publish(subjects.admission, encodeMessage(flag));
    log.warn(flag.isOpen ? "new runs are taken again" : "new runs are refused: the log has reached maxBytes", {
      ...flag,
    });
  }
}
