import type { AttemptRecord } from "../domain/run.ts";
import type { TaskQueue } from "./task-queue.ts";
import type { WorkerRecord } from "./workers.ts";

/**
 * Where a live run is: waiting for its time (`scheduled`, `retrying`), `queued`, held by a worker (`running`),
 * `ending` while an outcome of this engine is on its way to the log, `gone` when finished.
 */
export type Place = "scheduled" | "retrying" | "queued" | "running" | "ending" | "gone";

/** What the outcomes left behind that did not finish a run. Apart from the run, since most have none. Log sequences, 0 = none. */
export interface OutcomeTrail {
  lost: number;
  history: readonly AttemptRecord[];
  /** First and last outcome that the run's entry does not know of. Such outcomes must not be purged. */
  uncovered: number;
  last: number;
  /** Last final outcome that was ignored. Without the entry it would be taken for the run's. */
  staleFinal: number;
}

/** A run without an accepted final outcome. Written by the fold, except for the soft fields at the end. */
export class LiveRun {
  readonly key: string;
  readonly queue: TaskQueue;
  /** Log sequence of the run's first entry: tells incarnations of a reused id apart. */
  readonly origin: number;
  /** Log sequence of the entry that stands in the stream now. */
  seq: number;
  turn = 1;
  attempt = 1;
  readonly priority: number;
  readonly createdAt: number;
  /** When it becomes, or became, queued; starts the schedule timeout. */
  readyAt: number;
  readonly scheduleTimeoutMs: number | null | undefined;
  readonly inbox: string;
  /** Size of the entry's payload. */
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Kept while there is room for it. */
  readonly input: Uint8Array | undefined;
  trail: OutcomeTrail | undefined = undefined;

  place: Place = "gone";
  /** Whether the ready queue holds an item for it, be it alive or not. */
  isListed = false;
  worker: WorkerRecord | undefined = undefined;
  cancelReason: string | undefined = undefined;

  constructor(key: string, queue: TaskQueue, origin: number, seq: number, fields: LiveRunFields) {
    this.key = key;
    this.queue = queue;
    this.origin = origin;
    this.seq = seq;
    this.priority = fields.priority;
    this.createdAt = fields.createdAt;
    this.readyAt = Math.max(fields.createdAt, fields.dueAt);
    this.scheduleTimeoutMs = fields.scheduleTimeoutMs;
    this.inbox = fields.inbox;
    this.bytes = fields.bytes;
    this.metadata = fields.metadata;
    this.input = fields.input;
  }
  get lost(): number {
    return this.trail?.lost ?? 0;
  }
  get history(): readonly AttemptRecord[] {
    return this.trail?.history ?? [];
  }
  /** The trail, to be written to. */
  leaveTrail(): OutcomeTrail {
    this.trail ??= { lost: 0, history: [], uncovered: 0, last: 0, staleFinal: 0 };
    return this.trail;
  }
  get task(): string {
    return this.queue.name;
  }
  get id(): string {
    return this.key.slice(this.queue.name.length + 1);
  }
}

export interface LiveRunFields {
  readonly priority: number;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly scheduleTimeoutMs: number | null | undefined;
  readonly inbox: string;
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly input: Uint8Array | undefined;
}
