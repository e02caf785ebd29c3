import type { Log } from "../domain/log.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { TranscriptStore } from "../nats/transcripts.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Heart } from "./heart/heart.ts";
import type { Meter } from "./meter.ts";
import type { ThreadPool } from "./threads/thread-pool.ts";

/** What a worker is made of. */
export interface WorkerParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  /** Keeps what tasks say. */
  readonly transcripts: TranscriptStore;
  /** Beats for this worker while the process's event loop is blocked. */
  readonly heart?: Heart | undefined;
  /** Executes tasks that ask for a thread. */
  readonly threads?: ThreadPool | undefined;
  /** Where an engine of this process finds the worker. */
  readonly neighbours?: Neighbours;
  /** Appends to the journals of durable runs; absent where no task is durable. */
  readonly journals?: Publisher | undefined;
  /** The tasks of a class, by the keys of their methods. Fails: TypeError for what is not a worker class */
  readonly describe?: ((cls: Function) => ReadonlyMap<string, { readonly name: string }>) | undefined;
  /** Counts attempts, for whoever looks. */
  readonly meter?: Meter | undefined;
}
