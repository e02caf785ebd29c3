// The payload of a run subject: fixed metadata first, then the rarely used rest as JSON, then the input bytes as they were sent,
// so that the engine routes a run without parsing its payload.
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

/** A new run that says nothing of itself. */
export const plainEntry: Omit<RunEntry, "createdAt" | "form"> & { readonly form: 0 } = {
  form: runForm.new,
  priority: 0,
  dueAt: 0,
  scheduleTimeoutMs: undefined,
  inbox: "",
  extra: undefined,
  input: noBytes,
};

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
  bytes[0] = 1;
  bytes[1] = entry.form;
  bytes[2] = entry.priority;
  bytes[3] = flagsOf(entry);
  writeTime(view, 4, entry.createdAt);
  writeTime(view, 12, entry.dueAt);
  writeTime(view, 20, entry.scheduleTimeoutMs ?? 0);
  view.setUint32(28, inboxEnd - head, true);
  view.setUint32(32, extra.length, true);
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
  const extraStart = head + view.getUint16(at + 28, true);
  const inputStart = extraStart + view.getUint32(at + 32, true);
  assertFits(inputStart <= bytes.length && bytes[1]! <= 4, what);
  const form = bytes[1] as RunForm;
  const flags = bytes[3]!;
  return {
    form,
    priority: Math.min(bytes[2]!, highestPriority),
    createdAt: timeAt(view, at + 4, what, "its creation"),
    dueAt: timeAt(view, at + 12, what, "its due time"),
    isDated: (flags & dated) !== 0,
    scheduleTimeoutMs: (flags & timeoutSet) === 0 ? undefined : (flags & timeoutOff) !== 0 ? null : timeoutAt(view, at),
    inbox: extraStart === head ? "" : textOf(bytes.subarray(head, extraStart)),
    extra: hasExtra(form, extraStart, inputStart)
      ? readExtra(bytes.subarray(extraStart, inputStart), stateOf(form))
      : undefined,
    input: inputStart === bytes.length ? noBytes : bytes.subarray(inputStart),
  };
}

const timeoutAt = (view: DataView, at: number): number => timeAt(view, at + 20, what, "its schedule timeout");

/** A compacted run without its state is no run. */
const hasExtra = (form: RunForm, start: number, end: number): boolean => start !== end || stateOf(form) !== "none";

function stateOf(form: RunForm): "live" | "finished" | "none" {
  if (form === runForm.live) return "live";
  return form === runForm.finished ? "finished" : "none";
}
