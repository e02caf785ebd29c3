import { entryOfOrigin, placeInOrigin } from "../domain/origin.ts";
import type { RunPlacement } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import { isLarge } from "../wire/carried-input.ts";
import { BundledInputs, type KeptInput } from "./inputs.ts";
import type { FoldedEntry } from "./log-events.ts";
import { dueAtOf } from "./log-times.ts";
import type { LoggedTask } from "./logged-task.ts";
import type { Flow } from "./parked-run.ts";

/** A run as an entry creates it, or brings it back. */
export interface Created {
  readonly key: string;
  readonly log: LoggedTask;
  readonly seq: number;
  /** When the entry was stored, on the server's clock. */
  readonly at: number;
  /** Of a new one; a compacted one has its own. */
  readonly origin: number;
  readonly entry: FoldedEntry;
  /** Of a new bundle, if there is room for them. */
  readonly inputs?: BundledInputs | undefined;
}

/** Why a run should be cancelled, where the log first says so, and when that was stored. */
export interface StoredWish {
  readonly reason: string;
  readonly seq: number;
  readonly at: number;
}

/** What outcomes that did not finish the run left behind. Separate from the run, since most have none. Log sequences, 0 = none. */
export interface OutcomeTrail {
  lost: number;
  history: readonly AttemptRecord[];
  /** First and last outcome that the run's entry does not include. Such outcomes must not be purged. */
  uncovered: number;
  last: number;
  /** Last final outcome that was ignored. Without the entry it would look like the run's. */
  staleFinal: number;
  /** The wish to cancel it, from the log. */
  cancelWish: StoredWish | undefined;
}

/** What most runs never have, kept separately: a million queued runs must be small. */
interface Rare {
  /** If it is not the first entry. */
  seq: number | undefined;
  inbox: string;
  turn: number;
  attempt: number;
  /** When it becomes, or became, queued, if that is not its creation. */
  readyAt: number | undefined;
  scheduleTimeoutMs: number | null | undefined;
  metadata: Readonly<Record<string, string>> | undefined;
  placement: RunPlacement | undefined;
  trail: OutcomeTrail | undefined;
  askedReason: string | undefined;
  laneKeys: unknown;
  flow: Flow | undefined;
}

const softMask = 15;
const large = 16;
const priorityShift = 5;

/**
 * A run without an accepted final outcome. Written by the fold, except for what a leader attaches: `soft`, `holder`, `askedReason` and
 * `laneKeys`, which only matching understands and the fold never reads.
 *
 * Eight fields, so that the runtime needs 80 bytes for it; with nine it would need 112.
 */
export class LiveRun {
  readonly key: string;
  readonly log: LoggedTask;
  /** The place of its first entry in the log: distinguishes incarnations of a reused id. */
  readonly origin: number;
  /** On the server's clock. */
  readonly createdAt: number;
  /** Undefined if there was no room for it. */
  readonly keptInput: KeptInput;
  #rare: Rare | undefined = undefined;
  /** What a leader attaches, whether the input is large, and the priority, in one number. */
  #flags: number;
  /** Who has it; attached by a leader. */
  holder: object | undefined = undefined;

  /** The parts of the entry's `inbox` and input that are kept. */
  constructor({ key, log, seq, at, entry }: Created, origin: number, inbox: string, keptInput: KeptInput) {
    const isNew = entry.form === 0;
    const dueAt = isNew ? dueAtOf(entry, at) : entry.dueAt;
    this.key = key;
    this.log = log;
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

  /** The rare part, for writing. */
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
      askedReason: undefined,
      laneKeys: undefined,
      flow: undefined,
    };
    return this.#rare;
  }

  /** If it is kept; otherwise it is read back from the log. */
  get input(): Uint8Array | undefined {
    const kept = this.keptInput;
    return kept instanceof BundledInputs ? kept.at(placeInOrigin(this.origin)) : kept;
  }
  /** A number below 16 that a leader attaches; 0 = nothing. */
  get soft(): number {
    return this.#flags & softMask;
  }
  set soft(soft: number) {
    this.#flags = (this.#flags & ~softMask) | soft;
  }
  /** Whether its input stays in its entry once it is finished. */
  get isLarge(): boolean {
    return (this.#flags & large) !== 0;
  }
  get priority(): number {
    return this.#flags >> priorityShift;
  }
  /** Log sequence of its current entry in the stream. */
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
  /** What it requires of a worker besides its task. */
  get placement(): RunPlacement | undefined {
    return this.#rare?.placement;
  }
  get trail(): OutcomeTrail | undefined {
    return this.#rare?.trail;
  }
  /** Where a durable run is parked, or was last. */
  get flow(): Flow | undefined {
    return this.#rare?.flow;
  }
  set flow(flow: Flow | undefined) {
    this.#other.flow = flow;
  }
  /** Why a leader was asked to cancel it; attached. */
  get askedReason(): string | undefined {
    return this.#rare?.askedReason;
  }
  set askedReason(reason: string | undefined) {
    if (reason !== this.askedReason) this.#other.askedReason = reason;
  }
  /** Its keys under its task's limits; attached. */
  get laneKeys(): unknown {
    return this.#rare?.laneKeys;
  }
  set laneKeys(keys: unknown) {
    if (keys !== this.laneKeys) this.#other.laneKeys = keys;
  }
  /** Forgets what a leader attached. */
  detach(): void {
    this.soft = 0;
    this.holder = undefined;
    this.askedReason = undefined;
    this.laneKeys = undefined;
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
    return this.log.name;
  }
  get id(): string {
    return this.key.slice(this.log.name.length + 1);
  }
}
