// Engine → worker: what one tick assigns, one frame per run. The worker acknowledges the whole message once.
import type { Resume } from "../domain/durable.ts";
import type { RunTerms } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import {
  assertFits,
  assertRecord,
  type Draft,
  draft,
  finish,
  jsonBytes,
  jsonOf,
  mostBytes,
  noBytes,
  textOf,
  viewOf,
  writeBytes,
  writeText,
} from "./bytes.ts";
import { isLarge } from "./carried-input.ts";
import { f64, layout, u8, u16, u32 } from "./layout.ts";

export interface AssignmentExtra {
  readonly metadata?: Readonly<Record<string, string>>;
  /** For its final outcome. */
  readonly terms?: RunTerms;
  /** Earlier attempts. */
  readonly history?: readonly AttemptRecord[];
  /** Where a parked run is, and what has arrived for it. */
  readonly resume?: Resume;
  /** The input did not fit beside that: it is in the run's entry. Only of durable runs. */
  readonly inputIsApart?: true;
}

/** One attempt handed to a worker. `extra` and `input` are bytes of JSON, empty when there is nothing to say */
export interface Assignment {
  readonly key: string;
  readonly priority: number;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly createdAt: number;
  /** The client that gets its outcome from the log; empty = none. */
  readonly waiter: string;
  /** Executes in one call with the previous one. */
  readonly follows: boolean;
  readonly extra: Uint8Array;
  readonly input: Uint8Array;
}

export interface AssignmentReply {
  readonly epoch: number;
  /** Indices of the frames that the worker does not take. */
  readonly refused: readonly number[];
  readonly why?: "stale" | "quiet" | "full" | "unknown task";
}

/** What one message holds. */
export interface AssignmentMessage {
  readonly epoch: number;
  readonly assignments: readonly Assignment[];
  /** When it was sent, by the leader's monotonic clock; absent if it never left the process. Units: milliseconds */
  readonly sentAt?: number | undefined;
  /** The last one executes in one call with what the next message brings. */
  readonly goesOn?: boolean | undefined;
  /** Number of the message in its epoch, and proof that an engine sent it; absent if it never left the process. */
  readonly n?: number | undefined;
  readonly proof?: string | undefined;
}

/** An assignment not acknowledged by then counts as not received. Units: milliseconds */
export const acknowledgeWithinMs = 2_000;

const what = "assignment";
const head = layout(what, [u8, "version", "flags"], [u16, "reserved"], [u32, "epoch", "count"]);
/** After the frames; a proof follows. */
const tail = layout(what, [f64, "sentAt", "n"]);
const proofLength = 32;
const { place, size: frameHead } = layout(
  what,
  [u32, "length"],
  [u16, "keyLength"],
  [u8, "priority", "follows"],
  [u32, "turn", "attempt"],
  [f64, "origin", "createdAt"],
  [u32, "extraLength", "inputLength"],
  [u16, "waiterLength"],
);
const goesOnFlag = 1;
/** Always set: the tail is there. */
const tailFlag = 2;

/** Most bytes that an assignment takes in its message. */
export const mostBytesOf = ({ key, waiter, extra, input }: Assignment): number =>
  frameHead + mostBytes(key) + mostBytes(waiter) + extra.length + input.length;

export function encodeAssignments(delivery: AssignmentMessage): Uint8Array {
  const { epoch, assignments, sentAt = 0, goesOn = false, n = 0, proof = "" } = delivery;
  let length = head.size + tail.size + proofLength;
  for (const assignment of assignments) length += mostBytesOf(assignment);
  const message = draft(length);
  const { bytes, view } = message;
  head.place.version.set(view, 0, 1);
  head.place.flags.set(view, 0, goesOn ? tailFlag | goesOnFlag : tailFlag);
  head.place.reserved.set(view, 0, 0);
  head.place.epoch.set(view, 0, epoch);
  head.place.count.set(view, 0, assignments.length);
  let end = head.size;
  for (const assignment of assignments) end = writeFrame(message, end, assignment);
  tail.place.sentAt.set(view, end, sentAt);
  tail.place.n.set(view, end, n);
  end += tail.size;
  bytes.fill(0, end, end + proofLength);
  writeText(bytes, end, proof);
  return finish(message, end + proofLength);
}

function writeFrame({ bytes, view }: Draft, offset: number, assignment: Assignment): number {
  const { extra, input } = assignment;
  const keyEnd = writeText(bytes, offset + frameHead, assignment.key);
  const waiterEnd = writeText(bytes, keyEnd, assignment.waiter);
  const end = writeBytes(bytes, writeBytes(bytes, waiterEnd, extra), input);
  place.length.set(view, offset, end - offset);
  place.keyLength.set(view, offset, keyEnd - offset - frameHead);
  place.priority.set(view, offset, assignment.priority);
  place.follows.set(view, offset, assignment.follows ? 1 : 0);
  place.turn.set(view, offset, assignment.turn);
  place.attempt.set(view, offset, assignment.attempt);
  place.origin.set(view, offset, assignment.origin);
  place.createdAt.set(view, offset, assignment.createdAt);
  place.extraLength.set(view, offset, extra.length);
  place.inputLength.set(view, offset, input.length);
  place.waiterLength.set(view, offset, waiterEnd - keyEnd);
  return end;
}

/** Fails: MalformedRecord; `extra` and `input` are views on `bytes`, not copies */
export function decodeAssignments(bytes: Uint8Array): AssignmentMessage {
  assertRecord(bytes, what, head.size);
  const view = viewOf(bytes);
  const count = head.place.count.get(view, 0);
  const assignments: Assignment[] = [];
  let offset = head.size;
  for (let i = 0; i < count; i++) {
    assertFits(offset + frameHead <= bytes.length, what);
    const keyEnd = offset + frameHead + place.keyLength.get(view, offset);
    const waiterEnd = keyEnd + place.waiterLength.get(view, offset);
    const extraEnd = waiterEnd + place.extraLength.get(view, offset);
    const end = extraEnd + place.inputLength.get(view, offset);
    assertFits(end <= bytes.length && end - offset === place.length.get(view, offset), what);
    assignments.push({
      key: textOf(bytes.subarray(offset + frameHead, keyEnd)),
      priority: place.priority.get(view, offset),
      turn: place.turn.get(view, offset),
      attempt: place.attempt.get(view, offset),
      origin: place.origin.get(view, offset),
      createdAt: place.createdAt.get(view, offset),
      waiter: keyEnd === waiterEnd ? "" : textOf(bytes.subarray(keyEnd, waiterEnd)),
      follows: place.follows.get(view, offset) === 1,
      extra: waiterEnd === extraEnd ? noBytes : bytes.subarray(waiterEnd, extraEnd),
      input: extraEnd === end ? noBytes : bytes.subarray(extraEnd, end),
    });
    offset = end;
  }
  const proofAt = offset + tail.size;
  assertFits(proofAt + proofLength <= bytes.length, what);
  return {
    epoch: head.place.epoch.get(view, 0),
    assignments,
    sentAt: tail.place.sentAt.get(view, offset),
    goesOn: (head.place.flags.get(view, 0) & goesOnFlag) !== 0,
    n: tail.place.n.get(view, offset),
    proof: textOf(bytes.subarray(proofAt, proofAt + proofLength)),
  };
}

export const assignmentExtraOf = (assignment: Assignment): AssignmentExtra | undefined =>
  jsonOf(assignment.extra) as AssignmentExtra | undefined;

/** For a message that cannot hold it whole: a worker reads the input of a durable run from its entry, where a large one always is. */
export function withoutInput(assignment: Assignment): Assignment {
  const extra = assignmentExtraOf(assignment);
  if (extra?.resume === undefined || !isLarge(assignment.input)) return assignment;
  return { ...assignment, extra: jsonBytes({ ...extra, inputIsApart: true }), input: noBytes };
}
