// The payload of a run subject: fixed metadata first, then the rarely used rest as JSON, then the input bytes as they were sent,
// so that the engine routes a run without parsing its payload.
import type { RunPlacement } from "../domain/policies.ts";
import type { AttemptRecord, OutcomeKind } from "../domain/run.ts";
import {
  assertFits,
  assertRecord,
  draft,
  finish,
  jsonBytes,
  jsonOf,
  mostBytes,
  noBytes,
  surroundingViewOf,
  textOf,
  writeBytes,
  writeText,
} from "./bytes.ts";

/** The last two hold many runs: see bundle-entry.ts. */
export const runForm = { new: 0, live: 1, finished: 2, bundle: 3, compactedBundle: 4 } as const;
export type RunForm = (typeof runForm)[keyof typeof runForm];

/** A compacted entry holds the run as the fold knew it at `asOf`. */
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
}

export interface CompactedFinished {
  readonly asOf: number;
  readonly origin: number;
  readonly kind: OutcomeKind;
  /** Where the accepted outcome stands: sequence and index in its entry. */
  readonly seq: number;
  readonly index: number;
  readonly at: number;
}

export interface RunExtra {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly placement?: RunPlacement;
  readonly state?: CompactedLive | CompactedFinished;
}

/**
 * Times of a new entry are by the clock of whoever made it: only the span between them counts, from when the server stored it.
 *
 * Units: epoch milliseconds; `dueAt` 0 = at once; `scheduleTimeoutMs` null = off, undefined = the task's
 */
export interface RunEntry {
  readonly form: RunForm;
  readonly priority: number;
  readonly createdAt: number;
  readonly dueAt: number;
  /** Of a new one: `dueAt` is a time of the calendar, and not a delay behind `createdAt`. */
  readonly isDated?: boolean | undefined;
  readonly scheduleTimeoutMs: number | null | undefined;
  /** Where the creator waits for the result; empty when nobody does. */
  readonly inbox: string;
  readonly extra: RunExtra | undefined;
  readonly input: Uint8Array;
}

const head = 36;
const timeoutSet = 1;
const timeoutOff = 2;
const dated = 4;

export function encodeRunEntry(entry: RunEntry): Uint8Array {
  const extra = jsonBytes(entry.extra);
  const record = draft(head + mostBytes(entry.inbox) + extra.length + entry.input.length);
  const { bytes, view } = record;
  const inboxEnd = writeText(bytes, head, entry.inbox);
  bytes[0] = 1;
  bytes[1] = entry.form;
  bytes[2] = entry.priority;
  bytes[3] = flagsOf(entry);
  view.setFloat64(4, entry.createdAt, true);
  view.setFloat64(12, entry.dueAt, true);
  view.setFloat64(20, entry.scheduleTimeoutMs ?? 0, true);
  view.setUint32(28, inboxEnd - head, true);
  view.setUint32(32, extra.length, true);
  return finish(record, writeBytes(bytes, writeBytes(bytes, inboxEnd, extra), entry.input));
}

function flagsOf({ scheduleTimeoutMs, isDated }: RunEntry): number {
  const flags = isDated === true ? dated : 0;
  if (scheduleTimeoutMs === undefined) return flags;
  return flags | (scheduleTimeoutMs === null ? timeoutSet | timeoutOff : timeoutSet);
}

/** Fails: MalformedRecord; `input` is a view on `bytes`, not a copy */
export function decodeRunEntry(bytes: Uint8Array): RunEntry {
  assertRecord(bytes, "run entry", head);
  const view = surroundingViewOf(bytes);
  const at = bytes.byteOffset;
  const extraStart = head + view.getUint16(at + 28, true);
  const inputStart = extraStart + view.getUint32(at + 32, true);
  assertFits(inputStart <= bytes.length && bytes[1]! <= 4, "run entry");
  const flags = bytes[3]!;
  return {
    form: bytes[1] as RunForm,
    priority: bytes[2]!,
    createdAt: view.getFloat64(at + 4, true),
    dueAt: view.getFloat64(at + 12, true),
    isDated: (flags & dated) !== 0,
    scheduleTimeoutMs:
      (flags & timeoutSet) === 0 ? undefined : (flags & timeoutOff) !== 0 ? null : view.getFloat64(at + 20, true),
    inbox: extraStart === head ? "" : textOf(bytes.subarray(head, extraStart)),
    extra: extraStart === inputStart ? undefined : (jsonOf(bytes.subarray(extraStart, inputStart)) as RunExtra),
    input: inputStart === bytes.length ? noBytes : bytes.subarray(inputStart),
  };
}
