// One run as `natchet runs get` shows it: what the engine knows, what its journal says it has done, and how many children it has.
import { parentKey } from "../domain/parent.ts";
import { printable, printableJson } from "../domain/printable.ts";
import { inLocalTime } from "../domain/time.ts";
import type { AttemptRecord, Natchet, RunInfo, Timeline, TimelineEntry } from "../mod.ts";
import { encrypted, shownValue } from "./encryption.ts";
import { errorText } from "./error-text.ts";
import { formatTime } from "./output.ts";

/** Earlier ones are only counted. */
const mostOps = 10;
const longestValue = 60;

interface ShownRun extends RunInfo {
  /** Of a durable run, in its current lap. */
  readonly lap?: number;
  readonly ops?: readonly ShownOp[];
  /** Of a run that has some. */
  readonly children?: { readonly total: number; readonly finished: number };
}

/** What came of an op last. */
interface ShownOp extends TimelineEntry {
  /** Of a step that has waited to be tried again: how often it had failed by then. What is tried again at once is not stored. */
  readonly failures?: number;
}

export async function readRun(natchet: Natchet, task: string, id: string): Promise<ShownRun> {
  const run = natchet.get(task, id);
  const info = await run.status();
  const [timeline, children] = await Promise.all([run.timeline(), childrenOf(natchet, info)]);
  const hasDone = timeline.lap > 1 || timeline.entries.length > 0;
  return { ...info, ...(hasDone && { lap: timeline.lap, ops: opsOf(timeline) }), ...(children && { children }) };
}

/** Finds the children of a run. */
export const byParent = ({ task, id }: RunInfo) => ({ metadata: { [parentKey]: `${task}/${id}` } });

/** Undefined for a run that has none. */
async function childrenOf(natchet: Natchet, run: RunInfo): Promise<ShownRun["children"]> {
  const { total } = await natchet.list(byParent(run), { limit: 1 });
  if (total === 0) return undefined;
  const state = ["completed", "failed", "cancelled"] as const;
  const { total: finished } = await natchet.list({ ...byParent(run), state: [...state] }, { limit: 1 });
  return { total, finished };
}

function opsOf({ entries }: Timeline): readonly ShownOp[] {
  const ops = new Map<number, ShownOp>();
  for (const entry of entries) {
    const op = entry.op ?? -1;
    const failures = Math.max(ops.get(op)?.failures ?? 0, retryOf(entry)?.failures ?? 0);
    ops.delete(op); // in the order of their ends
    ops.set(op, { ...entry, ...(failures > 0 && { failures }) });
  }
  return [...ops.values()];
}

/** What the journal says of a step that is due again. */
const retryOf = ({ outcome, value }: TimelineEntry) =>
  outcome === "retry" && value !== undefined
    ? (value as { readonly failures: number; readonly dueAt: number; readonly error: string })
    : undefined;

export function describe(run: ShownRun): string {
  const facts: [string, string | undefined][] = [
    ["run", `${run.task}/${printable(run.id)}`],
    ["state", run.state + (run.reason === undefined ? "" : `: ${printable(run.reason)}`)],
    ["erased", run.erased === true ? "input, output, errors, metadata, log and journal" : undefined],
    ["waiting", run.waiting === undefined ? undefined : printable(waitingOf(run.waiting))],
    ["priority", String(run.priority)],
    ["created", formatTime(run.createdAt)],
    ["due", formatTime(run.dueAt)],
    ["started", formatTime(run.startedAt)],
    ["finished", formatTime(run.finishedAt)],
    ["worker", run.worker],
    ["lap", run.lap === undefined || run.lap === 1 ? undefined : String(run.lap)],
    ["ops", run.ops === undefined ? undefined : countOf(run.ops)],
    ...(run.ops ?? []).slice(-mostOps).map((op): [string, string] => [`op ${op.op ?? ""}`.trimEnd(), opText(op)]),
    ["children", childrenText(run)],
    ["metadata", Object.keys(run.metadata).length > 0 ? printableJson(run.metadata) : undefined],
    ["input", run.input === undefined ? undefined : shownValue(run.input)],
    ["output", run.output === undefined ? undefined : shownValue(run.output)],
    ["error", run.error && errorText(run.error)],
    ...run.attempts.map((it): [string, string] => [`attempt ${it.attempt}`, attemptText(it)]),
  ];
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(indent.length)}${value!.replaceAll("\n", `\n${indent}`)}`)
    .join("\n");
}
const indent = " ".repeat(11);

const plural = { step: "steps", sleep: "sleeps", signal: "signals", children: "groups of children" } as const;
const singular = { step: "step", sleep: "sleep", signal: "signal", children: "group of children" } as const;

/** `7 done: 4 steps, 2 sleeps, 1 signal`. */
function countOf(ops: readonly ShownOp[]): string {
  const done = ops.filter(({ outcome }) => outcome !== "retry");
  const kinds = [...Map.groupBy(done, ({ kind }) => kind)].map(
    ([kind, { length }]) => `${length} ${(length === 1 ? singular : plural)[kind]}`,
  );
  const retried = ops.length - done.length;
  const left = retried === 0 ? "" : `; ${retried} to be tried again`;
  return `${done.length} done${kinds.length === 0 ? "" : `: ${kinds.join(", ")}`}${left}`;
}

const opText = (op: ShownOp): string => opTexts(op).join("");

/** How a terminal shows what an op was, and what came of it. */
export function opTexts(op: ShownOp): [what: string, end: string] {
  const { kind, name, outcome, failures } = op;
  const what = name === "" ? kind : `${kind} ${printable(name)}`;
  const retry = retryOf(op);
  const due = retry && `due again ${formatTime(retry.dueAt)}: ${printable(retry.error)}`;
  if (retry !== undefined) return [what, ` failed ${timesOf(retry.failures)}, ${due}`];
  const end = (outcome === "value" ? "" : ` ${outcome}`) + valueText(op);
  return [what, failures === undefined ? end : `${end}, after it had failed ${timesOf(failures)}`];
}

/** Of an error what it says: its stack and its fields are in the JSON. */
function valueText({ outcome, value, encryptedWith }: ShownOp): string {
  if (encryptedWith !== undefined || value === undefined) return encryptedWith ? ` ${encrypted(encryptedWith)}` : "";
  const error = value as { readonly name?: string; readonly message?: string; readonly own?: { reason?: string } };
  if (outcome === "cancelled") return `: ${printable(error.own?.reason ?? String(error.message))}`;
  if (outcome === "error" && error.message !== undefined) return `: ${printable(`${error.name}: ${error.message}`)}`;
  const text = printableJson(value);
  return ` ${text.length > longestValue ? `${text.slice(0, longestValue)}…` : text}`;
}
const timesOf = (n: number): string => (n === 1 ? "once" : `${n} times`);

const childrenText = ({ children, task, id }: ShownRun): string | undefined =>
  children &&
  `${children.total}, ${children.finished} of them finished; see: natchet runs timeline ${task} ${printable(id)}`;

/** One that was lost before its code began has no times. */
function attemptText({ outcome, worker, startedAt, endedAt, error }: AttemptRecord): string {
  const took = startedAt > 0 ? `, ${endedAt - startedAt} ms` : ", before it started";
  return `${outcome} on ${printable(worker)}${took}${error === undefined ? "" : `: ${printable(error.message)}`}`;
}

const waitingOf = ({ for: what, because, position }: NonNullable<RunInfo["waiting"]>): string =>
  (/^(?:for|until) /.test(because) ? "" : `for ${what}: `) +
  `${inLocalTime(because)}${position === undefined ? "" : `, number ${position} in the queue`}`;
