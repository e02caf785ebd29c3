// leader/: what a leader has besides the scheduler: its term, and the records that it keeps for the next leader. Imports the rooms that decide, and
// nats; nothing here assigns a run or answers a request.
import type { Log } from "../domain/log.ts";
import type { NatsLink } from "../nats/link.ts";
import type { LogProgress } from "../nats/log-progress.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { RunStore } from "../nats/run-store.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Outcome } from "../wire/outcome-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Bucket } from "./bucket.ts";
import type { Term } from "./term.ts";

/** The engine as its own parts see it: what it uses, what it knows, and how it is told that something happened. */
export interface Leader {
  readonly engine: string;
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  /** The workers of this process. */
  readonly neighbours: Neighbours;
  readonly bucket: Bucket;
  readonly store: RunStore;
  /** Whether the lease is still this engine's, by its own clock. */
  readonly holdsLease: () => boolean;

  /** Replaced by a new one when the log must be folded anew. */
  readonly state: Scheduler;
  readonly term: Term;
  /** How far the log is folded. */
  readonly progress: LogProgress;
  /** The outcome entry being folded, so that its results are forwarded without reading them back. */
  readonly folding: { readonly seq: number; readonly outcomes: readonly Outcome[] } | undefined;
  /** The time by the server's clock. Units: epoch milliseconds */
  now(): number;

  /** Steps the scheduler and carries out its commands. */
  handle(event: SchedulerEvent): void;
  /** Like `handle`; resolves when everything that the event caused is stored, sent and folded. */
  handleFully(event: SchedulerEvent): Promise<void>;
}
