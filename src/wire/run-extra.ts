// The JSON part of a run entry: what only some runs have, and the state in a compacted entry.
import { isAffinityRule } from "../domain/affinity.ts";
import type { Parked } from "../domain/durable.ts";
import { MalformedRecord } from "../domain/errors.ts";
import type { RunPlacement } from "../domain/policies.ts";
import { type AttemptRecord, isFinal, type OutcomeKind } from "../domain/run.ts";
import { jsonOf } from "./bytes.ts";
import { isShallow } from "./json-depth.ts";
import { parkedOf } from "./parked.ts";
import { assertRange, isCount, isOrigin, isRecord, isText, isTime, isTurn } from "./ranges.ts";
import { listOf, optional, shapeOf } from "./shape.ts";
import { attemptsOf, isMetadata } from "./story.ts";

/** A live run as the fold knew it at `asOf`. */
export interface CompactedLive {
  readonly asOf: number;
  readonly origin: number;
  readonly turn: number;
  readonly attempt: number;
  readonly lost: number;
  readonly dueAt: number;
  readonly readyAt: number;
  readonly retrying: boolean;
  readonly history: readonly AttemptRecord[];
  /** Why the run is to be cancelled, if it is; where the log says so, and when that was stored. */
  readonly cancelling?: string | undefined;
  readonly cancelledSeq?: number | undefined;
  readonly cancelledAt?: number | undefined;
  /** Where a durable run is parked, or was last. */
  readonly parked?: Parked | undefined;
}

/** A finished run as the fold knew it at `asOf`. */
export interface CompactedFinished {
  readonly asOf: number;
  readonly origin: number;
  readonly kind: OutcomeKind;
  /** Where the accepted outcome is: sequence and index in its entry. */
  readonly seq: number;
  readonly index: number;
  readonly at: number;
  /** Why it failed or was cancelled, in short. */
  readonly why?: string | undefined;
  /** Somebody waits for the result: it replaces the input, in the form of an outcome entry, and no mark forgets the run. */
  readonly pinned?: true;
  readonly erased?: true;
}

export interface RunExtra {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly placement?: RunPlacement | undefined;
  readonly state?: CompactedLive | CompactedFinished;
}

const what = "run entry";

/** `stateIs`: which state an entry of this form has. Fails: MalformedRecord */
export function readExtra(bytes: Uint8Array, stateIs: "live" | "finished" | "none"): RunExtra {
  if (!isShallow(bytes)) throw new MalformedRecord({ what, reason: "its JSON is nested too deeply" });
  const told = jsonOf(bytes);
  if (!isRecord(told)) throw new MalformedRecord({ what, reason: "its JSON is not an object" });
  const { state, ...rest } = told;
  if (rest.metadata !== undefined) assertRange(isMetadata(rest.metadata), what, "metadata", rest.metadata);
  if (rest.placement !== undefined) assertRange(isPlacement(rest.placement), what, "placement", rest.placement);
  if (stateIs === "none") return rest;
  return { ...rest, state: stateIs === "live" ? readLive(state) : readFinished(state) };
}

/** Checks that a compacted entry refers to nothing but what is before it in the log. Fails: MalformedRecord */
export function assertPast({ state }: RunExtra, seq: number): void {
  if (state === undefined) return;
  assertRange(state.asOf < seq, what, "the place that it knows the log up to", state.asOf);
  assertRange(state.origin < seq, what, "its origin", state.origin);
  if ("seq" in state) assertRange(state.seq <= state.asOf, what, "the place of its outcome", state.seq);
}

const isPlacement = shapeOf<RunPlacement>({
  affinity: optional(listOf(isAffinityRule)),
  near: optional(isText),
  atOnce: optional(isTurn),
});

function readLive(told: unknown): CompactedLive {
  const state = stateOf(told) as unknown as CompactedLive;
  const { turn, attempt, lost, dueAt, readyAt, history, cancelling, cancelledSeq, cancelledAt, parked } = state;
  assertRange(isTurn(turn), what, "its turn", turn);
  assertRange(isTurn(attempt), what, "its attempt", attempt);
  assertRange(isCount(lost), what, "its number of losses", lost);
  assertRange(isTime(dueAt) && isTime(readyAt), what, "its due time", readyAt);
  assertRange(cancelling === undefined || isText(cancelling), what, "why it is to be cancelled", cancelling);
  assertRange(cancelledSeq === undefined || isCount(cancelledSeq), what, "where that stands", cancelledSeq);
  assertRange(cancelledAt === undefined || isTime(cancelledAt), what, "when that was stored", cancelledAt);
  if (parked !== undefined) parkedOf(parked);
  return { ...state, retrying: state.retrying === true, history: attemptsOf(history) };
}

function readFinished(told: unknown): CompactedFinished {
  const state = stateOf(told) as unknown as CompactedFinished;
  const { kind, seq, index, at, why } = state;
  assertRange(isText(kind) && isFinal(kind), what, "how it ended", kind);
  assertRange(isCount(seq) && isCount(index), what, "the place of its outcome", seq);
  assertRange(isTime(at), what, "the time of its end", at);
  assertRange(why === undefined || isText(why), what, "why it ended", why);
  return state;
}

function stateOf(told: unknown): Readonly<Record<string, unknown>> {
  const state = isRecord(told) ? told : {};
  assertRange(isRecord(told), what, "its state", told);
  assertRange(isCount(state.asOf) && isOrigin(state.origin), what, "its origin", state.origin);
  return state;
}
