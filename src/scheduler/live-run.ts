import type { RunPlacement } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import type { RunKeys } from "./limits/keys.ts";
import type { Policies } from "./limits/policies.ts";
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

/** What most runs never have, apart from them: a million queued runs shall be small. */
interface Rare {
  turn: number;
  attempt: number;
  /** When it becomes, or became, queued, where that is not its creation. */
  readyAt: number | undefined;
  scheduleTimeoutMs: number | null | undefined;
  metadata: Readonly<Record<string, string>> | undefined;
  placement: RunPlacement | undefined;
  trail: OutcomeTrail | undefined;
  cancelReason: string | undefined;
  keys: { readonly of: Policies; readonly keys: RunKeys } | undefined;
}

/** A run without an accepted final outcome. Written by the fold, except for the soft fields at the end. */
export class LiveRun {
  readonly key: string;
  readonly queue: TaskQueue;
  /** Log sequence of the run's first entry: tells incarnations of a reused id apart. */
  readonly origin: number;
  /** Log sequence of the entry that stands in the stream now. */
  seq: number;
  readonly priority: number;
  readonly createdAt: number;
  readonly inbox: string;
  /** Kept while there is room for it. */
  readonly input: Uint8Array | undefined;
  #rare: Rare | undefined = undefined;

  place: Place = "gone";
  /** Whether the ready queue holds an item for it, be it alive or not. */
  isListed = false;
  worker: WorkerRecord | undefined = undefined;

  constructor(key: string, queue: TaskQueue, origin: number, seq: number, fields: LiveRunFields) {
    this.key = key;
    this.queue = queue;
    this.origin = origin;
    this.seq = seq;
    this.priority = fields.priority;
    this.createdAt = fields.createdAt;
    this.inbox = fields.inbox;
    this.input = fields.input;
    if (fields.dueAt > fields.createdAt) this.#other.readyAt = fields.dueAt;
    if (fields.scheduleTimeoutMs !== undefined) this.#other.scheduleTimeoutMs = fields.scheduleTimeoutMs;
    if (fields.metadata !== undefined) this.#other.metadata = fields.metadata;
    if (fields.placement !== undefined) this.#other.placement = fields.placement;
  }

  /** What is rare, to be written to. */
  get #other(): Rare {
    this.#rare ??= {
      turn: 1,
      attempt: 1,
      readyAt: undefined,
      scheduleTimeoutMs: undefined,
      metadata: undefined,
      placement: undefined,
      trail: undefined,
      cancelReason: undefined,
      keys: undefined,
    };
    return this.#rare;
  }

  get turn(): number {
    return this.#rare === undefined ? 1 : this.#rare.turn;
  }
  set turn(turn: number) {
    if (turn !== this.turn) this.#other.turn = turn;
  }
  get attempt(): number {
    return this.#rare === undefined ? 1 : this.#rare.attempt;
  }
  set attempt(attempt: number) {
    if (attempt !== this.attempt) this.#other.attempt = attempt;
  }
  /** When it becomes, or became, queued; starts the schedule timeout. */
  get readyAt(): number {
    return this.#rare?.readyAt ?? this.createdAt;
  }
  set readyAt(readyAt: number) {
    if (readyAt !== this.readyAt) this.#other.readyAt = readyAt;
  }
  /** null = none, undefined = its task's. */
  get scheduleTimeoutMs(): number | null | undefined {
    return this.#rare?.scheduleTimeoutMs;
  }
  get metadata(): Readonly<Record<string, string>> | undefined {
    return this.#rare?.metadata;
  }
  /** What it asks of a worker beside its task. */
  get placement(): RunPlacement | undefined {
    return this.#rare?.placement;
  }
  get trail(): OutcomeTrail | undefined {
    return this.#rare?.trail;
  }
  /** Why it is to be cancelled; soft, like its place. */
  get cancelReason(): string | undefined {
    return this.#rare?.cancelReason;
  }
  set cancelReason(reason: string | undefined) {
    if (reason !== this.cancelReason) this.#other.cancelReason = reason;
  }
  /** What the policies of its task said of it; soft. */
  get keys(): Rare["keys"] {
    return this.#rare?.keys;
  }
  set keys(keys: Rare["keys"]) {
    if (keys !== this.keys) this.#other.keys = keys;
  }
  get lost(): number {
    return this.trail?.lost ?? 0;
  }
  get history(): readonly AttemptRecord[] {
    return this.trail?.history ?? [];
  }
  /** The trail, to be written to. */
  leaveTrail(): OutcomeTrail {
    this.#other.trail ??= { lost: 0, history: [], uncovered: 0, last: 0, staleFinal: 0 };
    return this.#other.trail;
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
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly placement: RunPlacement | undefined;
  readonly input: Uint8Array | undefined;
}
