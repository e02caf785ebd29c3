// Engine → worker: what one tick assigns, a frame a run. The worker acknowledges the whole message once.
import type { AttemptRecord } from "../domain/run.ts";
import { assertFits, assertRecord, jsonOf, noBytes, textOf, utf8, viewOf } from "./bytes.ts";

export interface AssignmentExtra {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Earlier attempts. */
  readonly history?: readonly AttemptRecord[];
}

/** One attempt handed to a worker. `extra` and `input` are bytes of JSON, empty when there is nothing to say */
export interface Assignment {
  readonly key: string;
  readonly priority: number;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly createdAt: number;
  readonly extra: Uint8Array;
  readonly input: Uint8Array;
}

export interface AssignmentReply {
  readonly epoch: number;
  /** Indices of the frames that the worker does not take. */
  readonly refused: readonly number[];
  readonly why?: "stale" | "quiet" | "full" | "unknown task";
}

const head = 12;
const frameHead = 40;

export const assignmentFrameLength = (assignment: Assignment, keyBytes: number): number =>
  frameHead + keyBytes + assignment.extra.length + assignment.input.length;

export function encodeAssignments(epoch: number, assignments: readonly Assignment[]): Uint8Array {
  const keys = assignments.map((assignment) => utf8(assignment.key));
  let length = head;
  for (let i = 0; i < assignments.length; i++) length += assignmentFrameLength(assignments[i]!, keys[i]!.length);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  bytes[0] = 1;
  view.setUint32(4, epoch, true);
  view.setUint32(8, assignments.length, true);
  let offset = head;
  for (let i = 0; i < assignments.length; i++) offset = writeFrame(bytes, view, offset, assignments[i]!, keys[i]!);
  return bytes;
}

function writeFrame(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  assignment: Assignment,
  key: Uint8Array,
): number {
  view.setUint32(offset, assignmentFrameLength(assignment, key.length), true);
  view.setUint16(offset + 4, key.length, true);
  bytes[offset + 6] = assignment.priority;
  view.setUint32(offset + 8, assignment.turn, true);
  view.setUint32(offset + 12, assignment.attempt, true);
  view.setFloat64(offset + 16, assignment.origin, true);
  view.setFloat64(offset + 24, assignment.createdAt, true);
  view.setUint32(offset + 32, assignment.extra.length, true);
  view.setUint32(offset + 36, assignment.input.length, true);
  let at = offset + frameHead;
  for (const part of [key, assignment.extra, assignment.input]) {
    bytes.set(part, at);
    at += part.length;
  }
  return at;
}

/** Fails: MalformedRecord; `extra` and `input` are views on `bytes`, not copies */
export function decodeAssignments(bytes: Uint8Array): {
  readonly epoch: number;
  readonly assignments: readonly Assignment[];
} {
  assertRecord(bytes, "assignment", head);
  const view = viewOf(bytes);
  const count = view.getUint32(8, true);
  const assignments: Assignment[] = [];
  let offset = head;
  for (let i = 0; i < count; i++) {
    assertFits(offset + frameHead <= bytes.length, "assignment");
    const keyEnd = offset + frameHead + view.getUint16(offset + 4, true);
    const extraEnd = keyEnd + view.getUint32(offset + 32, true);
    const end = extraEnd + view.getUint32(offset + 36, true);
    assertFits(end <= bytes.length && end - offset === view.getUint32(offset, true), "assignment");
    assignments.push({
      key: textOf(bytes.subarray(offset + frameHead, keyEnd)),
      priority: bytes[offset + 6]!,
      turn: view.getUint32(offset + 8, true),
      attempt: view.getUint32(offset + 12, true),
      origin: view.getFloat64(offset + 16, true),
      createdAt: view.getFloat64(offset + 24, true),
      extra: keyEnd === extraEnd ? noBytes : bytes.subarray(keyEnd, extraEnd),
      input: extraEnd === end ? noBytes : bytes.subarray(extraEnd, end),
    });
    offset = end;
  }
  return { epoch: view.getUint32(4, true), assignments };
}

export const assignmentExtraOf = (assignment: Assignment): AssignmentExtra | undefined =>
  jsonOf(assignment.extra) as AssignmentExtra | undefined;
