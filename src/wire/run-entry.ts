// A run entry, the payload of a run subject: first what every run has, then the rest as JSON, then the input as it was sent, so that an engine
// routes a run without parsing its input.
import { assertFits, draft, jsonBytes, mostBytes, noBytes, reading } from "./bytes.ts";
import { layout, time, u8, u16, u32 } from "./layout.ts";
import { type RunExtra, readExtra } from "./run-extra.ts";

/** What an entry is: a new run, a compacted one, or a bundle of either (bundle-entry.ts). */
export const runForm = { new: 0, live: 1, finished: 2, bundle: 3, compactedBundle: 4 } as const;
export type RunForm = (typeof runForm)[keyof typeof runForm];

/**
 * The times of a new run are by its creator's clock, so only the span between them counts, from when the server stored the entry.
 *
 * Units: epoch milliseconds; `dueAt` 0 = at once; `scheduleTimeoutMs` null = off, undefined = the task's
 */
export interface RunEntry {
  readonly form: RunForm;
  readonly priority: number;
  readonly createdAt: number;
  readonly dueAt: number;
  /** Of a new run: `dueAt` is a point in time, not a delay after `createdAt`. */
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

const what = "run entry";
const { place, size: head } = layout(
  what,
  [u8, "version", "form", "priority", "flags"],
  [time("its creation"), "createdAt"],
  [time("its due time"), "dueAt"],
  [time("its schedule timeout"), "scheduleTimeoutMs"],
  [u16, "inboxLength", "reserved"],
  [u32, "extraLength"],
);
const timeoutSet = 1;
const timeoutOff = 2;
const dated = 4;

export function encodeRunEntry(entry: RunEntry): Uint8Array {
  const extra = jsonBytes(entry.extra);
  const record = draft(head + mostBytes(entry.inbox) + extra.length + entry.input.length);
  const { view } = record;
  const at = record.fixed(head);
  place.version.set(view, at, 1);
  place.form.set(view, at, entry.form);
  place.priority.set(view, at, entry.priority);
  place.flags.set(view, at, flagsOf(entry));
  place.createdAt.set(view, at, entry.createdAt);
  place.dueAt.set(view, at, entry.dueAt);
  place.scheduleTimeoutMs.set(view, at, entry.scheduleTimeoutMs ?? 0);
  place.inboxLength.set(view, at, record.text(entry.inbox));
  place.reserved.set(view, at, 0);
  place.extraLength.set(view, at, record.part(extra));
  record.part(entry.input);
  return record.finish();
}

function flagsOf({ scheduleTimeoutMs, isDated }: RunEntry): number {
  const flags = isDated === true ? dated : 0;
  if (scheduleTimeoutMs === undefined) return flags;
  return flags | (scheduleTimeoutMs === null ? timeoutSet | timeoutOff : timeoutSet);
}

const highestPriority = 9;

/** Every number is finite and in range. Fails: MalformedRecord; `input` is a view on `bytes`, not a copy */
export function decodeRunEntry(bytes: Uint8Array): RunEntry {
  const record = reading(bytes, what, head);
  const { view } = record;
  const at = record.fixed(head);
  const inbox = record.text(place.inboxLength.get(view, at));
  const extra = record.part(place.extraLength.get(view, at));
  assertFits(place.form.get(view, at) <= 4, what);
  const form = place.form.get(view, at) as RunForm;
  const flags = place.flags.get(view, at);
  const state = stateOf(form);
  return {
    form,
    priority: Math.min(place.priority.get(view, at), highestPriority),
    createdAt: place.createdAt.get(view, at),
    dueAt: place.dueAt.get(view, at),
    isDated: (flags & dated) !== 0,
    scheduleTimeoutMs: timeoutAt(view, at, flags),
    inbox,
    // A compacted run without its state is malformed.
    extra: extra.length > 0 || state !== "none" ? readExtra(extra, state) : undefined,
    input: record.rest(),
  };
}

function timeoutAt(view: DataView, at: number, flags: number): number | null | undefined {
  if ((flags & timeoutSet) === 0) return undefined;
  return (flags & timeoutOff) === 0 ? place.scheduleTimeoutMs.get(view, at) : null;
}

function stateOf(form: RunForm): "live" | "finished" | "none" {
  if (form === runForm.live) return "live";
  return form === runForm.finished ? "finished" : "none";
}
