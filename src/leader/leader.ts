// leader/: what a leader has besides the scheduler: its term, and the records that it keeps for the next leader. Imports the rooms that decide, and
// nats; nothing here assigns a run or answers a request.
import type { RunStore } from "../nats/run-store.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { SendSignal, SignalReply } from "../wire/verbs.ts";
import type { Term } from "./term.ts";

/** The engine, as those who act for it know it. */
export interface Leader {
  /** Replaced by a new one when the log must be folded anew. */
  readonly state: Scheduler;
  readonly term: Term;
  readonly store: RunStore;
  /** Sequence of the newest entry folded. */
  readonly position: number;
  /** By the server's clock. Units: epoch milliseconds */
  now(): number;
  /** Steps the scheduler and carries out its commands. */
  handle(event: SchedulerEvent): void;
  /** The same; resolves when everything that the event caused is stored, sent and folded. */
  handleFully(event: SchedulerEvent): Promise<void>;
  /** Resolves when everything stored by now is folded. Fails: StoreUnavailable */
  catchUp(): Promise<void>;
  /** Sends a signal to a durable run. */
  signal(request: SendSignal): Promise<SignalReply>;
}
