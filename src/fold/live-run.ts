import { entryOfOrigin, placeInOrigin } from "../domain/origin.ts";
import type { RunPlacement } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import type { FoldedEntry } from "../matching/events.ts";
import type { RunKeys } from "../matching/limits/keys.ts";
import type { Policies } from "../matching/limits/policies.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { WorkerRecord } from "../matching/workers.ts";
import { isLarge } from "../wire/carried-input.ts";
import { BundledInputs, type KeptInput } from "./inputs.ts";
import { dueAtOf } from "./log-times.ts";

/**
 * Where a live run is: waiting for its time (`scheduled`, `retrying`), `queued`, held by a worker (`running`),
 * `cancelling` while it waits for its end, because somebody wants that, until no worker can be executing it; `ending` while an outcome of this engine is on its way to the log, `gone` when finished.
 */
export type Place = "scheduled" | "retrying" | "queued" | "running" | "cancelling" | "ending" | "gone";

/** A run as an entry creates it, or brings it back. */
export interface Created {
  readonly key: string;
  readonly queue: TaskQueue;
  readonly seq: number;
  /** When the entry was stored, on the server's clock. */
  readonly at: number;
  /** Of a new one; a compacted one names its own. */
  readonly origin: number;
  readonly entry: FoldedEntry;
  /** Of a new bundle, where there is room for them. */
  readonly inputs?: BundledInputs | undefined;
}

/** What the outcomes left behind that did not finish a run. Apart from the run, since most have none. Log sequences, 0 = none. */
export interface OutcomeTrail {
  lost: number;
  history: readonly AttemptRecord[];
  /** First and last outcome that the run's entry does not know of. Such outcomes must not be purged. */
  uncovered: number;
  last: number;
  /** Last final outcome that was ignored. Without the entry it would be taken for the run's. */
  staleFinal: number;
  /** Why it is to be cancelled, as the log says. */
  cancelWish: string | undefined;
}

/** What most runs never have, apart from them: a million queued runs shall be small. */
interface Rare {
  /** Where it is not the first entry. */
  seq: number | undefined;
  inbox: string;
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

const placeNames: readonly Place[] = ["gone", "scheduled", "retrying", "queued", "running", "ending", "cancelling"];
const placeCodes = Object.fromEntries(placeNames.map((place, code) => [place, code])) as Record<Place, number>;
const placeMask = 7;
const listed = 8;
const large = 16;
const priorityShift = 5;

/**
 * A run without an accepted final outcome. Written by the fold, except for the soft fields: its place, its worker, whether it is listed.
 *
 * Eight fields, so that the runtime takes 80 bytes for it; with nine it would take 112.
 */
export class LiveRun {
  readonly key: string;
  readonly queue: TaskQueue;
  /** Where its first entry stands in the log: tells incarnations of a reused id apart. */
  readonly origin: number;
  /** On the server's clock. */
  readonly createdAt: number;
  /** Undefined where there was no room for it. */
  readonly keptInput: KeptInput;
  #rare: Rare | undefined = undefined;
  /** Its place, whether it is listed, whether it is large, and its priority, in one number. */
  #flags: number;
  worker: WorkerRecord | undefined = undefined;

  /** `inbox` and `keptInput` are what is kept of the entry's. */
  constructor({ key, queue, seq, at, entry }: Created, origin: number, inbox: string, keptInput: KeptInput) {
    const isNew = entry.form === 0;
    const dueAt = isNew ? dueAtOf(entry, at) : entry.dueAt;
    this.key = key;
    this.queue = queue;
    this.origin = origin;
    this.createdAt = isNew ? at : entry.createdAt;
    this.keptInput = keptInput;
    this.#flags = entry.priority << priorityShift;
    if (entry.input !== undefined && isLarge(entry.input)) this.#flags |= large;
    if (seq !== entryOfOrigin(origin)) this.#other.seq = seq;
    if (inbox !== "") this.#other.inbox = inbox;
    if (dueAt > this.createdAt) this.#other.readyAt = dueAt;
    if (entry.scheduleTimeoutMs !== undefined) this.#other.scheduleTimeoutMs = entry.scheduleTimeoutMs;
    const { extra } = entry;
    if (extra?.metadata !== undefined) this.#other.metadata = extra.metadata;
    if (extra?.placement !== undefined) this.#other.placement = extra.placement;
  }

  /** What is rare, to be written to. */
  get #other(): Rare {
    this.#rare ??= {
      seq: undefined,
      inbox: "",
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

  /** While it is kept; what is not is read back from the log. */
  get input(): Uint8Array | undefined {
    const kept = this.keptInput;
    return kept instanceof BundledInputs ? kept.at(placeInOrigin(this.origin)) : kept;
  }
  get place(): Place {
    return placeNames[this.#flags & placeMask]!;
  }
  set place(place: Place) {
    this.#flags = (this.#flags & ~placeMask) | placeCodes[place];
  }
  /** Whether the ready queue holds an item for it, be it alive or not. */
  get isListed(): boolean {
    return (this.#flags & listed) !== 0;
  }
  set isListed(isListed: boolean) {
    this.#flags = isListed ? this.#flags | listed : this.#flags & ~listed;
  }
  /** Whether its input stays in its entry when it is finished. */
  get isLarge(): boolean {
    return (this.#flags & large) !== 0;
  }
  get priority(): number {
    return this.#flags >> priorityShift;
  }
  /** Log sequence of the entry that stands in the stream now. */
  get seq(): number {
    return this.#rare?.seq ?? entryOfOrigin(this.origin);
  }
  set seq(seq: number) {
    if (seq !== this.seq) this.#other.seq = seq;
  }
  get inbox(): string {
    return this.#rare === undefined ? "" : this.#rare.inbox;
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
  /** Why it is to be cancelled: as the log says, or else, soft like its place, as this engine was asked. */
  get cancelReason(): string | undefined {
    return this.#rare?.trail?.cancelWish ?? this.#rare?.cancelReason;
  }
  set cancelReason(reason: string | undefined) {
    if (reason !== this.#rare?.cancelReason) this.#other.cancelReason = reason;
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
    this.#other.trail ??= { lost: 0, history: [], uncovered: 0, last: 0, staleFinal: 0, cancelWish: undefined };
    return this.#other.trail;
  }
  get task(): string {
    return this.queue.name;
  }
  get id(): string {
    return this.key.slice(this.queue.name.length + 1);
  }
}
