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
  /** Of a new one; a compacted one names its own. */
  readonly origin: number;
  readonly entry: FoldedEntry;
  /** Of a new bundle, where there is room for them. */
  readonly inputs?: BundledInputs | undefined;
}

/** Why a run is to be cancelled, where the log says so first, and when that was stored. */
export interface StoredWish {
  readonly reason: string;
  readonly seq: number;
  readonly at: number;
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
  /** That it is to be cancelled, as the log says. */
  cancelWish: StoredWish | undefined;
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
  askedReason: string | undefined;
  laneKeys: unknown;
  flow: Flow | undefined;
}

const softMask = 15;
const large = 16;
const priorityShift = 5;

/**
 * A run without an accepted final outcome. Written by the fold, except for what a leader attaches: `soft`, `holder`, `askedReason` and
 * `laneKeys`, of which matching knows what they mean, and which the fold never reads.
 *
 * Eight fields, so that the runtime takes 80 bytes for it; with nine it would take 112.
 */
export class LiveRun {
  readonly key: string;
  readonly log: LoggedTask;
  /** Where its first entry stands in the log: tells incarnations of a reused id apart. */
  readonly origin: number;
  /** On the server's clock. */
  readonly createdAt: number;
  /** Undefined where there was no room for it. */
  readonly keptInput: KeptInput;
  #rare: Rare | undefined = undefined;
  /** What a leader attaches, whether it is large, and its priority, in one number. */
  #flags: number;
  /** Who has it; attached by a leader. */
  holder: object | undefined = undefined;

  /** `inbox` and `keptInput` are what is kept of the entry's. */
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
      askedReason: undefined,
      laneKeys: undefined,
      flow: undefined,
    };
    return this.#rare;
  }

  /** While it is kept; what is not is read back from the log. */
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
  /** What its task's limits go by; attached. */
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
