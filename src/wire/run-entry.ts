// The payload of a run subject: fixed metadata first, then the rarely used rest as JSON, then the input bytes as they were sent,
// so the engine routes a run without parsing its payload.
import {
  assertFits,
  assertRecord,
  draft,
  finish,
  jsonBytes,
  mostBytes,
  noBytes,
  surroundingViewOf,
  textOf,
  writeBytes,
  writeText,
} from "./bytes.ts";
import { timeAt, writeTime } from "./ranges.ts";
import { type RunExtra, readExtra } from "./run-extra.ts";

/** The last two hold many runs: see bundle-entry.ts. */
export const runForm = { new: 0, live: 1, finished: 2, bundle: 3, compactedBundle: 4 } as const;
export type RunForm = (typeof runForm)[keyof typeof runForm];

/**
 * Times of a new entry are by its maker's clock: only the span between them counts, from when the server stored it.
 *
 * Units: epoch milliseconds; `dueAt` 0 = at once; `scheduleTimeoutMs` null = off, undefined = the task's
 */
export interface RunEntry {
  readonly form: RunForm;
  readonly priority: number;
  readonly createdAt: number;
  readonly dueAt: number;
  /** Of a new one: `dueAt` is a calendar time, not a delay after `createdAt`. */
  readonly isDated?: boolean | undefined;
  readonly scheduleTimeoutMs: number | null | undefined;
  /** Where the creator waits for the result; empty if nobody does. */
  readonly inbox: string;
  readonly extra: RunExtra | undefined;
  readonly input: Uint8Array;
}

/** A new run without options. */
export const plainEntry: Omit<RunEntry, "createdAt" | "form"> & { readonly form: 0 } = {
  form: runForm.new,
  priority: 0,
  dueAt: 0,
  scheduleTimeoutMs: undefined,
  inbox: "",
  extra: undefined,
  input: noBytes,
};

/** Offsets of the fixed part. */
const place = {
  version: 0,
  form: 1,
  priority: 2,
  flags: 3,
  createdAt: 4,
  dueAt: 12,
  scheduleTimeoutMs: 20,
  inboxLength: 28,
  extraLength: 32,
} as const;
const head = 36;
const timeoutSet = 1;
const timeoutOff = 2;
const dated = 4;
const what = "run entry";

export function encodeRunEntry(entry: RunEntry): Uint8Array {
  const extra = jsonBytes(entry.extra);
  const record = draft(head + mostBytes(entry.inbox) + extra.length + entry.input.length);
  const { bytes, view } = record;
  const inboxEnd = writeText(bytes, head, entry.inbox);
  bytes[place.version] = 1;
  bytes[place.form] = entry.form;
  bytes[place.priority] = entry.priority;
  bytes[place.flags] = flagsOf(entry);
  writeTime(view, place.createdAt, entry.createdAt);
  writeTime(view, place.dueAt, entry.dueAt);
  writeTime(view, place.scheduleTimeoutMs, entry.scheduleTimeoutMs ?? 0);
  view.setUint32(place.inboxLength, inboxEnd - head, true);
  view.setUint32(place.extraLength, extra.length, true);
  return finish(record, writeBytes(bytes, writeBytes(bytes, inboxEnd, extra), entry.input));
}

function flagsOf({ scheduleTimeoutMs, isDated }: RunEntry): number {
  const flags = isDated === true ? dated : 0;
  if (scheduleTimeoutMs === undefined) return flags;
  return flags | (scheduleTimeoutMs === null ? timeoutSet | timeoutOff : timeoutSet);
}

const highestPriority = 9;

/** Every number is finite and in range. Fails: MalformedRecord; `input` is a view on `bytes`, not a copy */
export function decodeRunEntry(bytes: Uint8Array): RunEntry {
  assertRecord(bytes, what, head);
  const view = surroundingViewOf(bytes);
  const at = bytes.byteOffset;
  const extraStart = head + view.getUint16(at + place.inboxLength, true);
  const inputStart = extraStart + view.getUint32(at + place.extraLength, true);
  assertFits(inputStart <= bytes.length && bytes[place.form]! <= 4, what);
  const form = bytes[place.form] as RunForm;
  const flags = bytes[place.flags]!;
  return {
    form,
    priority: Math.min(bytes[place.priority]!, highestPriority),
    createdAt: timeAt(view, at + place.createdAt, what, "its creation"),
    dueAt: timeAt(view, at + place.dueAt, what, "its due time"),
    isDated: (flags & dated) !== 0,
    scheduleTimeoutMs: (flags & timeoutSet) === 0 ? undefined : (flags & timeoutOff) !== 0 ? null : timeoutAt(view, at),
    inbox: extraStart === head ? "" : textOf(bytes.subarray(head, extraStart)),
    extra: hasExtra(form, extraStart, inputStart)
      ? readExtra(bytes.subarray(extraStart, inputStart), stateOf(form))
      : undefined,
    input: inputStart === bytes.length ? noBytes : bytes.subarray(inputStart),
  };
}

const timeoutAt = (view: DataView, at: number): number =>
  timeAt(view, at + place.scheduleTimeoutMs, what, "its schedule timeout");

/** A compacted run without its state is malformed. */
const hasExtra = (form: RunForm, start: number, end: number): boolean => start !== end || stateOf(form) !== "none";

function stateOf(form: RunForm): "live" | "finished" | "none" {
  if (form === runForm.live) return "live";
  return form === runForm.finished ? "finished" : "none";
}
