// The bundler: group commit of new runs. Runs of one task with generated ids, created in one turn of the event loop, share an entry. The turn
// is over when a round of microtasks brings nothing more, so nothing waits for a timer, and a single run is stored as such (ADR 10).
import { type BundleIds, makeBundleIdGenerator } from "../domain/run-id.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher, Witness } from "../nats/publisher.ts";
import { type Deferred, deferred } from "../runtime/deferred.ts";
import { encodeBundle, mostBundled } from "../wire/bundle-entry.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { encodeRunEntry, type RunEntry } from "../wire/run-entry.ts";
import type { Subjects } from "../wire/subjects.ts";

/** The largest bundle: small enough that one is in flight while the next is written. */
const mostBytes = 64 * 1_024;
/** What a run needs besides its input and metadata when its bundle is compacted. Units: bytes */
const compactedBytes = 400;

export interface Stored {
  readonly id: string;
  /** Resolves when the server has stored the run, or has refused it because its id exists: then with false. */
  readonly stored: Promise<boolean>;
}

interface Open {
  readonly task: string;
  readonly ids: BundleIds;
  /** The entry of the first run: the others differ from it in their inputs only. */
  readonly shared: RunEntry;
  readonly inputs: Uint8Array[];
  /** The witness of the first run, for the case that no other follows. */
  readonly witness: Witness | undefined;
  /** How many runs may be in it. */
  readonly room: number;
  bytes: number;
  readonly stored: Deferred<boolean>;
}

export interface BundlerParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
}

export class Bundler {
  readonly #parts: BundlerParts;
  readonly #nextIds = makeBundleIdGenerator();
  #open: Open | undefined;

  constructor(parts: BundlerParts) {
    this.#parts = parts;
  }

  /** An id for a run that is not bundled. */
  nextId(): string {
    return this.#nextIds().idAt(0);
  }

  /** Stores a run under a new id. `stored` is the promise of the whole bundle. The `witness` sees the end of a run that is alone in its entry. */
  add(task: string, entry: RunEntry, witness?: Witness): Stored {
    let open = this.#open;
    if (open === undefined || !this.#fits(open, task, entry)) {
      this.#send();
      open = this.#begin(task, entry, witness);
    }
    const id = open.ids.idAt(open.inputs.length);
    open.inputs.push(entry.input);
    open.bytes += entry.input.length;
    return { id, stored: open.stored.promise };
  }

  #fits(open: Open, task: string, entry: RunEntry): boolean {
    return (
      open.inputs.length < open.room &&
      open.bytes + entry.input.length <= Math.min(mostBytes, this.#parts.link.maxPayload / 8) &&
      open.task === task &&
      differInInputOnly(open.shared, entry)
    );
  }

  #begin(task: string, shared: RunEntry, witness: Witness | undefined): Open {
    const each = compactedBytes + jsonBytes(shared.extra).length;
    const room = Math.min(mostBundled, Math.max(1, Math.floor(this.#parts.link.maxPayload / 2 / each)));
    const stored = deferred<boolean>();
    const open: Open = { task, ids: this.#nextIds(), shared, inputs: [], witness, room, bytes: 0, stored };
    this.#open = open;
    this.#sendSoon(open, 0);
    return open;
  }

  /** Callers go on in microtasks after what they have awaited: those that do so together are collected before this checks again. */
  #sendSoon(open: Open, seen: number): void {
    queueMicrotask(() => {
      if (this.#open !== open) return;
      if (open.inputs.length > seen) this.#sendSoon(open, open.inputs.length);
      else this.#send();
    });
  }

  #send(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#append(open).then((result) => open.stored.resolve(result.ok), open.stored.reject);
  }

  #append({ task, ids, shared, inputs, witness }: Open): ReturnType<Publisher["append"]> {
    const { publisher, subjects } = this.#parts;
    if (inputs.length === 1)
      return publisher.append(subjects.run(task, ids.idAt(0)), encodeRunEntry(shared), 0, { witness });
    const names = inputs.map((_, place) => ids.idAt(place));
    return publisher.append(subjects.bundle(task, ids.name), encodeBundle(shared, names, inputs), 0);
  }
}

const differInInputOnly = (a: RunEntry, b: RunEntry): boolean =>
  a.priority === b.priority &&
  a.isDated === b.isDated &&
  (a.isDated === true ? a.dueAt === b.dueAt : delayOf(a) === delayOf(b)) &&
  a.scheduleTimeoutMs === b.scheduleTimeoutMs &&
  a.inbox === b.inbox &&
  (a.extra === b.extra || JSON.stringify(a.extra) === JSON.stringify(b.extra));

/** Runs with the same delay may share a bundle, however long that took to fill. */
const delayOf = ({ dueAt, createdAt }: RunEntry): number => (dueAt === 0 ? 0 : dueAt - createdAt);
