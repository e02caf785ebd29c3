// What a worker is made of, before it has registered.
import type { Log } from "../domain/log.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { TranscriptStore } from "../nats/transcripts.ts";
import type { Vault } from "../sealing/vault.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Heart } from "./heart/heart.ts";
import type { Meter } from "./meter.ts";
import type { ThreadPool } from "./threads/thread-pool.ts";

export interface DescribedTask {
  readonly name: string;
  /** Fields of its input that stay readable where inputs are encrypted. */
  readonly plain?: readonly string[] | undefined;
}

/** The parts of a worker. */
export interface WorkerParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  /** Opens inputs and seals outputs, errors and log lines; absent where encryption is off. */
  readonly vault?: Vault | undefined;
  /** Stores the output of tasks. */
  readonly transcripts: TranscriptStore;
  /** Sends heartbeats for this worker while the process's event loop is blocked. */
  readonly heart?: Heart | undefined;
  /** Executes tasks that ask for a thread. */
  readonly threads?: ThreadPool | undefined;
  /** Where an engine of this process finds the worker. */
  readonly neighbours?: Neighbours;
  /** Appends to the journals of durable runs; absent if no task is durable. */
  readonly journals?: Publisher | undefined;
  /** The tasks of a class, by method. Fails: TypeError for anything but a worker class */
  readonly describe?: ((cls: Function) => ReadonlyMap<string, DescribedTask>) | undefined;
  /** Counts attempts; absent if nobody reads the counts. */
  readonly meter?: Meter | undefined;
}
