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
  jsonOf,
  mostBytes,
  noBytes,
  textOf,
  viewOf,
  writeBytes,
  writeText,
} from "./bytes.ts";

export interface AssignmentExtra {
  readonly metadata?: Readonly<Record<string, string>>;
  /** For its final outcome. */
  readonly terms?: RunTerms;
  /** Earlier attempts. */
  readonly history?: readonly AttemptRecord[];
  /** Where a parked run is, and what has arrived for it. */
  readonly resume?: Resume;
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

const head = 12;
/** After the frames: when it was sent, its number, its proof. */
const tail = 48;
const proofAt = 16;
/** Offsets of a frame's fixed part. */
const place = {
  length: 0,
  keyLength: 4,
  priority: 6,
  follows: 7,
  turn: 8,
  attempt: 12,
  origin: 16,
  createdAt: 24,
  extraLength: 32,
  inputLength: 36,
  waiterLength: 40,
} as const;
const frameHead = 42;

/** Most bytes that an assignment takes in its message. */
export const mostBytesOf = ({ key, waiter, extra, input }: Assignment): number =>
  frameHead + mostBytes(key) + mostBytes(waiter) + extra.length + input.length;

export function encodeAssignments(delivery: AssignmentMessage): Uint8Array {
  const { epoch, assignments, sentAt = 0, goesOn = false, n = 0, proof = "" } = delivery;
  let length = head + tail;
  for (const assignment of assignments) length += mostBytesOf(assignment);
  const message = draft(length);
  const { view } = message;
  view.setUint32(0, goesOn ? 0x0301 : 0x0201, true);
  view.setUint32(4, epoch, true);
  view.setUint32(8, assignments.length, true);
  let end = head;
  for (const assignment of assignments) end = writeFrame(message, end, assignment);
  view.setFloat64(end, sentAt, true);
  view.setFloat64(end + 8, n, true);
  message.bytes.fill(0, end + proofAt, end + tail);
  writeText(message.bytes, end + proofAt, proof);
  return finish(message, end + tail);
}

function writeFrame({ bytes, view }: Draft, offset: number, assignment: Assignment): number {
  const { extra, input } = assignment;
  const keyEnd = writeText(bytes, offset + frameHead, assignment.key);
  const waiterEnd = writeText(bytes, keyEnd, assignment.waiter);
  const end = writeBytes(bytes, writeBytes(bytes, waiterEnd, extra), input);
  view.setUint32(offset + place.length, end - offset, true);
  view.setUint16(offset + place.keyLength, keyEnd - offset - frameHead, true);
  bytes[offset + place.priority] = assignment.priority;
  bytes[offset + place.follows] = assignment.follows ? 1 : 0;
  view.setUint32(offset + place.turn, assignment.turn, true);
  view.setUint32(offset + place.attempt, assignment.attempt, true);
  view.setFloat64(offset + place.origin, assignment.origin, true);
  view.setFloat64(offset + place.createdAt, assignment.createdAt, true);
  view.setUint32(offset + place.extraLength, extra.length, true);
  view.setUint32(offset + place.inputLength, input.length, true);
  view.setUint16(offset + place.waiterLength, waiterEnd - keyEnd, true);
  return end;
}

/** Fails: MalformedRecord; `extra` and `input` are views on `bytes`, not copies */
export function decodeAssignments(bytes: Uint8Array): AssignmentMessage {
  assertRecord(bytes, "assignment", head);
  const view = viewOf(bytes);
  const count = view.getUint32(8, true);
  const assignments: Assignment[] = [];
  let offset = head;
  for (let i = 0; i < count; i++) {
    assertFits(offset + frameHead <= bytes.length, "assignment");
    const keyEnd = offset + frameHead + view.getUint16(offset + place.keyLength, true);
    const waiterEnd = keyEnd + view.getUint16(offset + place.waiterLength, true);
    const extraEnd = waiterEnd + view.getUint32(offset + place.extraLength, true);
    const end = extraEnd + view.getUint32(offset + place.inputLength, true);
    assertFits(end <= bytes.length && end - offset === view.getUint32(offset + place.length, true), "assignment");
    assignments.push({
      key: textOf(bytes.subarray(offset + frameHead, keyEnd)),
      priority: bytes[offset + place.priority]!,
      turn: view.getUint32(offset + place.turn, true),
      attempt: view.getUint32(offset + place.attempt, true),
      origin: view.getFloat64(offset + place.origin, true),
      createdAt: view.getFloat64(offset + place.createdAt, true),
      waiter: keyEnd === waiterEnd ? "" : textOf(bytes.subarray(keyEnd, waiterEnd)),
      follows: bytes[offset + place.follows] === 1,
      extra: waiterEnd === extraEnd ? noBytes : bytes.subarray(waiterEnd, extraEnd),
      input: extraEnd === end ? noBytes : bytes.subarray(extraEnd, end),
    });
    offset = end;
  }
  assertFits(offset + tail <= bytes.length, "assignment");
  return {
    epoch: view.getUint32(4, true),
    assignments,
    sentAt: view.getFloat64(offset, true),
    goesOn: (bytes[1]! & 1) !== 0,
    n: view.getFloat64(offset + 8, true),
    proof: textOf(bytes.subarray(offset + proofAt, offset + tail)),
  };
}

export const assignmentExtraOf = (assignment: Assignment): AssignmentExtra | undefined =>
  jsonOf(assignment.extra) as AssignmentExtra | undefined;
