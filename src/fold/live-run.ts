// A live run: one without an accepted final outcome. There may be millions, so what most of them never have is kept apart.
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
  /** The origin of a new run; a compacted entry names its own. */
  readonly origin: number;
  readonly entry: FoldedEntry;
  /** The inputs of a new bundle, if there is room for them. */
  readonly inputs?: BundledInputs | undefined;
}

/** Why a run should be cancelled, where the log first says so, and when that was stored. */
export interface StoredWish {
  readonly reason: string;
  readonly seq: number;
  readonly at: number;
}

const noHistory: readonly AttemptRecord[] = [];

/** What earlier attempts have left behind, and what somebody wants of the run. Kept apart: hardly any waiting run has one. */
export class Trail {
  lost = 0;
  history: readonly AttemptRecord[] = noHistory;
  /** The last final outcome that was ignored: without the run's entry it would pass for the accepted one. A log sequence, 0 = none */
  staleFinal = 0;
  /** The wish to cancel it, from the log. */
  cancelWish: StoredWish | undefined = undefined;
  /** Why a leader was asked to cancel it; attached. */
  askedReason: string | undefined = undefined;
  scheduleTimeoutMs: number | null | undefined = undefined;
}

/** What most runs never have: a million queued ones must be small. Twelve fields need 112 bytes; with one more it would be 160. */
class Rare {
  /** The current entry, if that is not the first one. A log sequence */
  seq: number | undefined = undefined;
  inbox = "";
  turn = 1;
  attempt = 1;
  /** When it becomes, or became, queued, if that is not its creation. */
  readyAt: number | undefined = undefined;
  /** The first outcome that the run's entry does not include, and the last one noted. They must not be purged. Log sequences */
  uncovered: number = Number.POSITIVE_INFINITY;
  lastOutcome = 0;
  metadata: Readonly<Record<string, string>> | undefined = undefined;
  placement: RunPlacement | undefined = undefined;
  laneKeys: unknown = undefined;
  flow: Flow | undefined = undefined;
  trail: Trail | undefined = undefined;
}

const softMask = 15;
const large = 16;
const priorityShift = 5;

/**
 * Written by the fold, except for what a leader attaches: `soft`, `holder`, `askedReason` and `laneKeys`, which only matching understands and
 * the fold never reads.
 *
 * Eight fields, so that the runtime needs 80 bytes for it; with nine it would need 112.
 */
export class LiveRun {
  readonly key: string;
  readonly log: LoggedTask;
  /** The place of its first entry in the log: tells it from an earlier run with the same id. */
  readonly origin: number;
  /** On the server's clock. */
  readonly createdAt: number;
  /** Undefined if there was no room for the input. */
  readonly keptInput: KeptInput;
  #rare: Rare | undefined = undefined;
  /** What a leader attaches, whether the input is large, and the priority, in one number. */
  #flags: number;
  /** The worker that has the run; attached by a leader. */
  holder: object | undefined = undefined;

  /** `inbox` and `keptInput`: what is kept of those of the entry. */
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
    if (entry.scheduleTimeoutMs !== undefined) this.leaveTrail().scheduleTimeoutMs = entry.scheduleTimeoutMs;
    const { extra } = entry;
    if (extra?.metadata !== undefined) this.#other.metadata = extra.metadata;
    if (extra?.placement !== undefined) this.#other.placement = extra.placement;
  }

  /** The rare part, for writing. */
  get #other(): Rare {
    this.#rare ??= new Rare();
    return this.#rare;
  }

  /** Undefined if it is not in memory: it is read back from the log then. */
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
  /** When it becomes, or became, queued: its schedule timeout counts from here. */
  get readyAt(): number {
    return this.#rare?.readyAt ?? this.createdAt;
  }
  set readyAt(readyAt: number) {
    if (readyAt !== this.readyAt) this.#other.readyAt = readyAt;
  }
  /** null = none, undefined = its task's. */
  get scheduleTimeoutMs(): number | null | undefined {
    return this.trail?.scheduleTimeoutMs;
  }
  get metadata(): Readonly<Record<string, string>> | undefined {
    return this.#rare?.metadata;
  }
  /** What it requires of a worker besides its task. */
  get placement(): RunPlacement | undefined {
    return this.#rare?.placement;
  }
  get trail(): Trail | undefined {
    return this.#rare?.trail;
  }
  /** Sequence of the first outcome that its entry does not include; Infinity = none. */
  get uncovered(): number {
    return this.#rare?.uncovered ?? Number.POSITIVE_INFINITY;
  }
  /** Notes an outcome that its entry does not include. Returns whether it is the first one ever noted. */
  noteOutcome(seq: number): boolean {
    const before = this.#other.lastOutcome;
    this.#other.uncovered = Math.min(this.uncovered, seq);
    this.#other.lastOutcome = seq;
    return before === 0;
  }
  /** Its entry now includes the outcomes up to `asOf`. */
  coverOutcomes(asOf: number): void {
    if (this.uncovered > asOf) return;
    this.#other.uncovered = this.#other.lastOutcome > asOf ? asOf + 1 : Number.POSITIVE_INFINITY;
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
    return this.trail?.askedReason;
  }
  set askedReason(reason: string | undefined) {
    if (reason !== this.askedReason) this.leaveTrail().askedReason = reason;
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
    return this.trail?.history ?? noHistory;
  }
  /** The trail, for writing. */
  leaveTrail(): Trail {
    const rare = this.#other;
    rare.trail ??= new Trail();
    return rare.trail;
  }
  get task(): string {
    return this.log.name;
  }
  get id(): string {
    return this.key.slice(this.log.name.length + 1);
  }
}
