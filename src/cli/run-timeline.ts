// `natchet runs timeline`: what a durable run has done, op by op, and its children below it; with --follow as it goes on.
import { printable, printableJson } from "../domain/printable.ts";
import { isFinished } from "../domain/run.ts";
import { inLocalTime, zonedTime } from "../domain/time.ts";
import type { Natchet, RunInfo, Timeline, TimelineEntry } from "../mod.ts";
import { byParent, opTexts } from "./described-run.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { outputFlag, printJson } from "./output.ts";
import { checkedFirst } from "./with-client.ts";

/** Deeper descendants, and further children of one run, are only counted. */
const deepest = 6;
const mostChildren = 20;
/** A long journal is read again less often. Units: milliseconds, and a multiple of what it took to read */
const lookAgainMs = 500;
const restFactor = 10;

interface Tree extends Timeline {
  readonly run: RunInfo;
  /** The newest ones, in the order of their creation. */
  readonly children: readonly Tree[];
  readonly moreChildren: number;
}

export const timeline = Command.make(
  "timeline",
  {
    task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
    id: Argument.String("id").pipe(Argument.withDescription("id of the run")),
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("keep printing until the run ends, without its children"),
      Flag.withDefault(false),
    ),
    output: outputFlag,
  },
  ({ task, id, follow, output }) =>
    checkedFirst(
      async () => {},
      async (natchet) => {
        if (follow) for await (const line of followed(natchet, task, id, output === "json")) console.log(line);
        else {
          const tree = await treeOf(natchet, await natchet.get(task, id).status(), 0);
          if (output === "json") printJson(shownTree(tree));
          else for (const line of linesOf(tree, 0)) console.log(line);
        }
      },
      { isLong: follow },
    ),
).pipe(
  Command.withDescription("Print what a durable run has done: steps, waits and children"),
  Command.withExamples([
    { command: "natchet runs timeline fulfil order-42 --follow", description: "until it has ended" },
  ]),
);

/** Each op once, when the journal has it; a lap that is over before it is looked at is not seen. */
async function* followed(natchet: Natchet, task: string, id: string, asJson: boolean): AsyncGenerator<string> {
  const run = natchet.get(task, id);
  let shown = { lap: 1, count: 0 };
  let before = "";
  for (;;) {
    const startedAt = performance.now();
    const info = await run.status();
    const { lap, entries } = await run.timeline();
    if (lap !== shown.lap) {
      shown = { lap, count: 0 };
      if (!asJson) yield `lap ${lap}`;
    }
    for (const entry of entries.slice(shown.count)) yield asJson ? printableJson({ lap, ...entry }) : lineOf(entry);
    shown.count = entries.length;
    const state = headOf(info);
    const isOver = isFinished(info.state);
    if (!asJson && state !== before && (before === "" || info.state === "waiting" || isOver)) yield state;
    before = state;
    if (isOver) return;
    const restMs = Math.max(lookAgainMs, restFactor * (performance.now() - startedAt));
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

async function treeOf(natchet: Natchet, run: RunInfo, depth: number): Promise<Tree> {
  const timeline = await natchet.get(run.task, run.id).timeline();
  const { runs, total } = await natchet.list(byParent(run), { limit: mostChildren, errors: true });
  const children: Tree[] = [];
  if (depth < deepest) for (const child of runs.toReversed()) children.push(await treeOf(natchet, child, depth + 1));
  return { run, ...timeline, children, moreChildren: total - children.length };
}

function* linesOf({ run, lap, entries, children, moreChildren }: Tree, depth: number): Generator<string> {
  const indent = "  ".repeat(depth);
  yield `${indent}${headOf(run)}`;
  if (lap > 1) yield `${indent}  lap ${lap}`;
  for (const entry of entries) yield `${indent}  ${lineOf(entry)}`;
  for (const child of children) yield* linesOf(child, depth + 1);
  if (moreChildren > 0) yield `${indent}  ${children.length > 0 ? "and " : ""}${moreChildren} more children`;
}

function shownTree({ run, lap, entries, children, moreChildren }: Tree): object {
  const { task, id, state, waiting, error, reason } = run;
  return {
    ...{ task, id, state, ...(waiting && { waiting }), ...(error && { error }), ...(reason && { reason }) },
    ...{ lap, entries, children: children.map(shownTree), moreChildren },
  };
}

const headOf = ({ task, id, state, waiting, error, reason }: RunInfo): string => {
  const why = waiting === undefined ? (error?.message ?? reason) : inLocalTime(waiting.because);
  return `${task}/${printable(id)}  ${state}${why === undefined ? "" : `: ${printable(why)}`}`;
};

function lineOf(entry: TimelineEntry): string {
  const { op, at, turn } = entry;
  const [what, end] = opTexts(entry);
  return `${zonedTime(at)}  ${String(op ?? "").padStart(3)} ${what.padEnd(24)}${end}  (turn ${turn})`;
}
