// Engine → worker: what one tick assigns, one frame per run. The worker acknowledges the whole message once.
import type { Resume } from "../domain/durable.ts";
import type { RunTerms } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import { type Draft, draft, jsonBytes, jsonOf, mostBytes, noBytes, type Reading, reading } from "./bytes.ts";
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

/** For a message that cannot hold it whole: a worker reads the input of a durable run from its entry, where a large one always is. */
export function withoutInput(assignment: Assignment): Assignment {
  const extra = assignmentExtraOf(assignment);
  if (extra?.resume === undefined || !isLarge(assignment.input)) return assignment;
  return { ...assignment, extra: jsonBytes({ ...extra, inputIsApart: true }), input: noBytes };
}
