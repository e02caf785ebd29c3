// The detail of a `parked` outcome, as JSON. Whoever may append can write anything there: a detail without the right shape parks no run.
import type { Blocked, Parked, Wait } from "../domain/durable.ts";
import { MalformedRecord } from "../domain/errors.ts";
import { isTaskName } from "../domain/names.ts";
import { jsonBytes, jsonOf } from "./bytes.ts";
import { isShallow } from "./json-depth.ts";
import { assertRange, isCount, isRecord, isText, isTime, isTurn } from "./ranges.ts";
import { isFlag, listOf, mapOf, optional, shapeOf } from "./shape.ts";

const what = "parked outcome";
/** Most children of one group: more would not fit into the offer with their results. */
export const mostChildren = 10_000;

export const encodeParked = (parked: Parked): Uint8Array => jsonBytes(parked);

/** Fails: MalformedRecord */
export function decodeParked(bytes: Uint8Array): Parked {
  if (!isShallow(bytes)) throw new MalformedRecord({ what, reason: "its JSON is nested too deeply" });
  const told = jsonOf(bytes);
  return parkedOf(told);
}

/** The same, from parsed JSON. Fails: MalformedRecord */
export function parkedOf(told: unknown): Parked {
  if (!isRecord(told)) throw new MalformedRecord({ what, reason: "it says nothing" });
  const { lap, ops, waits, cursors, journalSeq, blocked } = told;
  assertRange(isTurn(lap), what, "its lap", lap);
  assertRange(isCount(ops), what, "its number of ops", ops);
  assertRange(Array.isArray(waits) && waits.every((wait) => isWait(wait, ops as number)), what, "its waits", waits);
  assertRange(mapOf(isCount)(cursors), what, "its cursors", cursors);
  assertRange(isCount(journalSeq), what, "its place in the journal", journalSeq);
  assertRange(blocked === undefined || isBlocked(blocked), what, "why it is blocked", blocked);
  return { lap, ops, waits, cursors, journalSeq, ...(blocked !== undefined && { blocked }) } as Parked;
}

function isWait(told: unknown, ops: number): told is Wait {
  if (!isRecord(told) || !isCount(told.ordinal) || told.ordinal >= ops) return false;
  const { kind, deadline, name, task, size, failFast } = told;
  if (kind === "timer") return isTime(deadline);
  if (kind === "signal") return isText(name);
  if (kind !== "children" || !isText(task) || !isTaskName(task)) return false;
  const isSize = isCount(size) && size >= 1 && size <= mostChildren;
  return isSize && optional(isFlag)(failFast);
}

const isBlocked = shapeOf<Blocked>({
  reason: isText,
  codes: listOf(isText),
  at: optional(isTime),
  again: optional(isTime),
});
