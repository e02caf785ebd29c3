// An assignment message, from the engine to a worker: what one tick assigns to it, one frame for each run. The worker acknowledges it as a whole.
import type { Resume } from "../domain/durable.ts";
import type { RunTerms } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import { type Draft, draft, jsonBytes, jsonOf, mostBytes, noBytes, type Reading, reading } from "./bytes.ts";
import { isLarge } from "./carried-input.ts";
import { f64, layout, u8, u16, u32 } from "./layout.ts";

export interface AssignmentExtra {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Repeated in the run's final outcome. */
  readonly terms?: RunTerms;
  /** Earlier attempts. */
  readonly history?: readonly AttemptRecord[];
  /** Where the run was parked, and what has arrived for it. Only of durable runs. */
  readonly resume?: Resume;
  /** The input did not fit beside `resume`: the worker reads it from the run's entry. */
  readonly inputIsApart?: true;
}

/** One attempt handed to a worker. `extra` and `input` are JSON in bytes, empty if there is nothing to say. */
export interface Assignment {
  readonly key: string;
  readonly priority: number;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly createdAt: number;
  /** The client to which the server passes the outcome on; empty = none. */
  readonly waiter: string;
  /** It executes in one call with the assignment before it. */
  readonly follows: boolean;
  readonly extra: Uint8Array;
  readonly input: Uint8Array;
}

export interface AssignmentReply {
  readonly epoch: number;
  /** Indices of the frames that the worker does not take. */
  readonly refused: readonly number[];
  readonly why?: "stale" | "quiet" | "full" | "unknown task";
  /** How many runs the worker takes beyond its slots, from now until its next reply. @default 0 */
  readonly ahead?: number;
}

export interface AssignmentMessage {
  readonly epoch: number;
  readonly assignments: readonly Assignment[];
  /** When the message was sent, by the leader's monotonic clock; absent within one process. Units: milliseconds */
  readonly sentAt?: number | undefined;
  /** The last assignment executes in one call with those of the next message. */
  readonly goesOn?: boolean | undefined;
  /** The number of the message in its epoch, and the proof that the leader sent it; absent within one process. */
  readonly n?: number | undefined;
  readonly proof?: string | undefined;
}

/** Attempts that the worker has not acknowledged after this time are lost. Units: milliseconds */
export const acknowledgeWithinMs = 2_000;

const what = "assignment";
const head = layout(what, [u8, "version", "flags"], [u16, "reserved"], [u32, "epoch", "count"]);
/** Follows the frames; the proof comes after it. */
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
/** Says that there is a tail. Always set. */
const tailFlag = 2;

/** Most bytes that an assignment takes in its message. */
export const mostBytesOf = ({ key, waiter, extra, input }: Assignment): number =>
  frameHead + mostBytes(key) + mostBytes(waiter) + extra.length + input.length;

export function encodeAssignments(delivery: AssignmentMessage): Uint8Array {
  const { epoch, assignments, sentAt = 0, goesOn = false, n = 0, proof = "" } = delivery;
  let length = head.size + tail.size + proofLength;
  for (const assignment of assignments) length += mostBytesOf(assignment);
  const message = draft(length);
  const { view } = message;
  const at = message.fixed(head.size);
  head.place.version.set(view, at, 1);
  head.place.flags.set(view, at, goesOn ? tailFlag | goesOnFlag : tailFlag);
  head.place.reserved.set(view, at, 0);
  head.place.epoch.set(view, at, epoch);
  head.place.count.set(view, at, assignments.length);
  for (const assignment of assignments) writeFrame(message, assignment);
  const end = message.fixed(tail.size);
  tail.place.sentAt.set(view, end, sentAt);
  tail.place.n.set(view, end, n);
  message.text(proof.padEnd(proofLength, "\0"));
  return message.finish();
}

function writeFrame(message: Draft, assignment: Assignment): void {
  const { view } = message;
  const at = message.fixed(frameHead);
  place.keyLength.set(view, at, message.text(assignment.key));
  place.waiterLength.set(view, at, message.text(assignment.waiter));
  place.extraLength.set(view, at, message.part(assignment.extra));
  place.inputLength.set(view, at, message.part(assignment.input));
  place.length.set(view, at, message.end - at);
  place.priority.set(view, at, assignment.priority);
  place.follows.set(view, at, assignment.follows ? 1 : 0);
  place.turn.set(view, at, assignment.turn);
  place.attempt.set(view, at, assignment.attempt);
  place.origin.set(view, at, assignment.origin);
  place.createdAt.set(view, at, assignment.createdAt);
}

/** Fails: MalformedRecord; `extra` and `input` are views on `bytes`, not copies */
export function decodeAssignments(bytes: Uint8Array): AssignmentMessage {
  const message = reading(bytes, what, head.size);
  const { view } = message;
  const at = message.fixed(head.size);
  const count = head.place.count.get(view, at);
  const assignments: Assignment[] = [];
  for (let i = 0; i < count; i++) assignments.push(readFrame(message));
  const end = message.fixed(tail.size);
  return {
    epoch: head.place.epoch.get(view, at),
    assignments,
    sentAt: tail.place.sentAt.get(view, end),
    goesOn: (head.place.flags.get(view, at) & goesOnFlag) !== 0,
    n: tail.place.n.get(view, end),
    proof: message.text(proofLength),
  };
}

function readFrame(message: Reading): Assignment {
  const { view } = message;
  const at = message.fixed(frameHead);
  const key = message.text(place.keyLength.get(view, at));
  const waiter = message.text(place.waiterLength.get(view, at));
  const extra = message.part(place.extraLength.get(view, at));
  const input = message.part(place.inputLength.get(view, at));
  message.endFrame(at, place.length.get(view, at));
  return {
    key,
    priority: place.priority.get(view, at),
    turn: place.turn.get(view, at),
    attempt: place.attempt.get(view, at),
    origin: place.origin.get(view, at),
    createdAt: place.createdAt.get(view, at),
    waiter,
    follows: place.follows.get(view, at) === 1,
    extra,
    input,
  };
}

export const assignmentExtraOf = (assignment: Assignment): AssignmentExtra | undefined =>
  jsonOf(assignment.extra) as AssignmentExtra | undefined;

/** Leaves out the input of a durable run that does not fit into a message. Its worker reads it from the run's entry, where a large input always stays. */
export function withoutInput(assignment: Assignment): Assignment {
  const extra = assignmentExtraOf(assignment);
  if (extra?.resume === undefined || !isLarge(assignment.input)) return assignment;
  return { ...assignment, extra: jsonBytes({ ...extra, inputIsApart: true }), input: noBytes };
}
