// `natchet runs timeline`: what a durable run has done, op by op, and its children below it.
import { printable, printableJson } from "../domain/printable.ts";
import { inLocalTime, zonedTime } from "../domain/time.ts";
import type { Natchet, RunInfo, TimelineEntry } from "../mod.ts";
import { Argument, Command } from "./effect-cli.ts";
import { outputFlag, printJson } from "./output.ts";
import { withClient } from "./with-client.ts";

/** Deeper descendants, and further children of one run, are only counted. */
const deepest = 6;
const mostChildren = 20;
const longestValue = 60;

export const timeline = Command.make(
  "timeline",
  {
    task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
    id: Argument.String("id").pipe(Argument.withDescription("id of the run")),
    output: outputFlag,
  },
  ({ task, id, output }) =>
    withClient(async (natchet) => {
      const run = natchet.get(task, id);
      if (output === "json") printJson(await run.timeline());
      else for await (const line of linesOf(natchet, await run.status(), 0)) console.log(line);
    }),
).pipe(Command.withDescription("Print what a durable run has done: steps, waits and children"));

async function* linesOf(natchet: Natchet, run: RunInfo, depth: number): AsyncGenerator<string> {
  const indent = "  ".repeat(depth);
  yield `${indent}${run.task}/${printable(run.id)}  ${run.state}${whyOf(run)}`;
  const { lap, entries } = await natchet.get(run.task, run.id).timeline();
  if (lap > 1) yield `${indent}  lap ${lap}`;
  for (const entry of entries) yield `${indent}  ${lineOf(entry)}`;
  const filter = { metadata: { "natchet.parent": `${run.task}/${run.id}` } };
  const { runs, total } = await natchet.list(filter, { limit: mostChildren, errors: true });
  if (depth === deepest && total > 0) yield `${indent}  ${total} children`;
  if (depth === deepest) return;
  for (const child of runs.toReversed()) yield* linesOf(natchet, child, depth + 1);
  if (total > runs.length) yield `${indent}  and ${total - runs.length} more children`;
}

const whyOf = ({ waiting, error, reason }: RunInfo): string => {
  const why = waiting === undefined ? (error?.message ?? reason) : inLocalTime(waiting.because);
  return why === undefined ? "" : `: ${printable(why)}`;
};

function lineOf({ op, kind, name, outcome, at, turn, value }: TimelineEntry): string {
  const what = [op === undefined ? "" : String(op).padStart(3), kind, name].filter((part) => part !== "").join(" ");
  const shown = value === undefined ? "" : ` ${cut(printableJson(value))}`;
  return `${zonedTime(at)}  ${what.padEnd(28)}${outcome === "value" ? "" : ` ${outcome}`}${shown}  (turn ${turn})`;
}

const cut = (text: string): string => (text.length > longestValue ? `${text.slice(0, longestValue)}…` : text);
