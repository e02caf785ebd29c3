// `natchet runs list|get|reschedule|cancel|logs|stream`: finds runs, moves them, ends them and reads them.
import { Option } from "effect";
import type { ErrorRecord, RunFilter, RunInfo, RunState } from "../mod.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { formatTime, outputFlag, print } from "./output.ts";
import { logs, stream } from "./run-transcript.ts";
import { withClient } from "./with-client.ts";

const states = [
  "scheduled",
  "queued",
  "running",
  "retrying",
  "completed",
  "failed",
  "cancelled",
] as const satisfies readonly RunState[];

const filterFlags = {
  task: Flag.String("task").pipe(Flag.withAlias("t"), Flag.withDescription("only runs of this task"), Flag.optional),
  state: Flag.Literals("state", states).pipe(
    Flag.withDescription("only runs in this state; repeatable"),
    Flag.atLeast(0),
  ),
  metadata: Flag.KeyValuePair("metadata").pipe(
    Flag.withAlias("m"),
    Flag.withDescription("only runs with key=value in their metadata, repeatable"),
    Flag.withDefault({}),
  ),
};

const runArguments = {
  task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
  id: Argument.String("id").pipe(Argument.withDescription("id of the run")),
};

const list = Command.make(
  "list",
  {
    ...filterFlags,
    limit: Flag.Int("limit").pipe(Flag.withDescription("at most this many, the newest first"), Flag.withDefault(50)),
    cursor: Flag.String("cursor").pipe(Flag.withDescription("go on behind the list that named it"), Flag.optional),
    output: outputFlag,
  },
  (flags) =>
    withClient(async (natchet) => {
      const { runs, total, cursor } = await natchet.list(filterOf(flags), {
        limit: flags.limit,
        ...(Option.isSome(flags.cursor) && { cursor: flags.cursor.value }),
      });
      print(runs, flags.output, columns, "no run matches");
      if (flags.output === "table" && cursor !== undefined)
        console.log(`${runs.length} of ${total}; the next ones: --cursor ${cursor}`);
    }),
).pipe(Command.withDescription("List runs, the newest first"));

const get = Command.make("get", { ...runArguments, output: outputFlag }, ({ task, id, output }) =>
  withClient(async (natchet) => {
    const info = await natchet.get(task, id).status();
    console.log(output === "json" ? JSON.stringify(info, undefined, 2) : describe(info));
  }),
).pipe(Command.withDescription("Show one run: state, attempts, output or error"));

const cancel = Command.make(
  "cancel",
  {
    name: Argument.String("task").pipe(Argument.withDescription("name of the task"), Argument.optional),
    id: Argument.String("id").pipe(Argument.withDescription("id of the run"), Argument.optional),
    ...filterFlags,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("kept with the run"),
      Flag.withDefault("cancelled on the command line"),
    ),
  },
  (flags) =>
    withClient(async (natchet) => {
      const filter = chosenRuns(flags);
      const { cancelled, stopping, finished, unknown } = await natchet.cancel(filter, flags.reason);
      for (const key of cancelled) console.log(`cancelled ${key}`);
      for (const key of stopping) console.log(`stopping ${key}`);
      for (const key of finished) console.log(`had ended ${key}`);
      if (unknown.length > 0) throw new Error(`not known: ${unknown.join(", ")}`);
      if (cancelled.length + stopping.length === 0) throw new Error("no unfinished run matches");
    }),
).pipe(
  Command.withDescription("Cancel one run, or all unfinished ones that match"),
  Command.withExamples([
    { command: "natchet runs cancel hello order-42", description: "one run" },
    { command: "natchet runs cancel --task hello --state queued", description: "all that wait" },
  ]),
);

const reschedule = Command.make(
  "reschedule",
  {
    ...runArguments,
    delay: Flag.String("delay").pipe(Flag.withDescription("from now, for example 10m"), Flag.optional),
    at: Flag.String("at").pipe(Flag.withDescription("a time, for example 2030-01-31T09:00:00Z"), Flag.optional),
  },
  ({ task, id, delay, at }) =>
    withClient(async (natchet) => {
      const handle = natchet.get(task, id);
      await handle.reschedule({
        ...(Option.isSome(delay) && { delay: delay.value }),
        ...(Option.isSome(at) && { at: new Date(at.value) }),
      });
      const { state, dueAt } = await handle.status();
      console.log(`${task}/${id} ${state}${dueAt === undefined ? "" : `, due ${formatTime(dueAt)}`}`);
    }),
).pipe(
  Command.withDescription("Move a run that is not running to another time; without --delay and --at to now"),
  Command.withExamples([
    { command: "natchet runs reschedule hello order-42 --delay 10m", description: "in ten minutes" },
  ]),
);

const replay = Command.make(
  "replay",
  {
    name: Argument.String("task").pipe(Argument.withDescription("name of the task"), Argument.optional),
    id: Argument.String("id").pipe(Argument.withDescription("id of the run"), Argument.optional),
    ...filterFlags,
    limit: Flag.Int("limit").pipe(Flag.withDescription("at most this many, the newest"), Flag.withDefault(1_000)),
  },
  (flags) =>
    withClient(async (natchet) => {
      const { name, id, limit } = flags;
      const replayed =
        Option.isSome(name) && Option.isSome(id)
          ? [await natchet.get(name.value, id.value).replay()]
          : await natchet.replay(chosenRuns(flags), { limit });
      for (const { key } of replayed) console.log(`enqueued ${key}`);
      if (replayed.length === 0) throw new Error("no run matches that has ended; without --state only failed ones do");
    }),
).pipe(
  Command.withDescription("Run one run again, or all failed ones that match"),
  Command.withExamples([
    { command: "natchet runs replay hello order-42", description: "one run" },
    {
      command: "natchet runs replay --task hello --metadata customer=42",
      description: "all of a customer that failed",
    },
  ]),
);

export const runs = Command.make("runs").pipe(
  Command.withDescription("List, show, replay, reschedule, cancel and read runs"),
  Command.withSubcommands([list, get, replay, reschedule, cancel, logs, stream]),
);

const columns = {
  task: (run: RunInfo) => run.task,
  id: (run: RunInfo) => run.id,
  state: (run: RunInfo) => run.state,
  attempt: (run: RunInfo) => run.attempt,
  created: (run: RunInfo) => formatTime(run.createdAt),
  finished: (run: RunInfo) => formatTime(run.finishedAt),
  error: (run: RunInfo) => run.error?.message.slice(0, 60).replaceAll("\n", " ") ?? run.reason,
};

interface ChoiceFlags extends FilterFlags {
  readonly name: Option.Option<string>;
  readonly id: Option.Option<string>;
}

// Without any choice it would be all runs: that must be said, not forgotten.
function chosenRuns({ name, id, ...flags }: ChoiceFlags): RunFilter {
  const filter = filterOf(flags);
  if (Option.isSome(name)) {
    if (Option.isNone(id))
      throw new TypeError(`which run of ${name.value}? Give its id, or --task ${name.value} for all of them`);
    return { ...filter, task: name.value, ids: [id.value] };
  }
  if (Object.keys(filter).length === 0)
    throw new TypeError("which runs? Give a task and an id, or a filter, for example --task hello --state queued");
  return filter;
}

interface FilterFlags {
  readonly task: Option.Option<string>;
  readonly state: readonly RunState[];
  readonly metadata: Readonly<Record<string, string>>;
}

function filterOf({ task, state, metadata }: FilterFlags): RunFilter {
  return {
    ...(Option.isSome(task) && { task: task.value }),
    ...(state.length > 0 && { state: [...state] }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

function describe(run: RunInfo): string {
  const facts: [string, string | undefined][] = [
    ["run", `${run.task}/${run.id}`],
    ["state", run.state + (run.reason === undefined ? "" : `: ${run.reason}`)],
    ["waiting", run.waiting === undefined ? undefined : waitingOf(run.waiting)],
    ["priority", String(run.priority)],
    ["created", formatTime(run.createdAt)],
    ["due", formatTime(run.dueAt)],
    ["started", formatTime(run.startedAt)],
    ["finished", formatTime(run.finishedAt)],
    ["worker", run.worker],
    ["metadata", Object.keys(run.metadata).length > 0 ? JSON.stringify(run.metadata) : undefined],
    ["input", run.input === undefined ? undefined : JSON.stringify(run.input)],
    ["output", run.output === undefined ? undefined : JSON.stringify(run.output)],
    ["error", run.error && errorLines(run.error)],
    ...run.attempts.map((it): [string, string] => [
      `attempt ${it.attempt}`,
      `${it.outcome} on ${it.worker}, ${it.endedAt - it.startedAt} ms${it.error === undefined ? "" : `: ${it.error.message}`}`,
    ]),
  ];
  return facts
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(11)}${value}`)
    .join("\n");
}

function errorLines({ name, message, cause, errors = [] }: ErrorRecord, indent = ""): string {
  const inner = `\n${indent}             `;
  const inside = errors.map((one) => `${inner}with ${errorLines(one, `${indent}  `)}`).join("");
  const before = cause === undefined ? "" : `${inner}caused by ${errorLines(cause, `${indent}  `)}`;
  return `${name}: ${message}${inside}${before}`;
}

function waitingOf({ for: what, because, position }: NonNullable<RunInfo["waiting"]>): string {
  return `for ${what}: ${because}${position === undefined ? "" : `, number ${position} in the queue`}`;
}
