// `natchet runs list|get|reschedule|cancel|erase|logs|stream`: finds runs, moves them, ends them, erases them and reads them.
import * as Option from "effect/Option";
import { signal } from "../domain/signal.ts";
import { inLocalTime } from "../domain/time.ts";
import type { RunFilter, RunInfo, RunState } from "../mod.ts";
import { describe, readRun } from "./described-run.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { assertLimit, parsePeriod, parseTime, readJsonFlag, UsageError } from "./flag-values.ts";
import { formatTime, outputFlag, print, printJson, tell, tellKeys } from "./output.ts";
import { timeline } from "./run-timeline.ts";
import { logs, stream } from "./run-transcript.ts";
import { checkedFirst, withClient } from "./with-client.ts";

const states = [
  "scheduled",
  "queued",
  "running",
  "retrying",
  "waiting",
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

const reasonFlag = Flag.String("reason").pipe(
  Flag.withDescription('only runs that failed or were cancelled for this reason, for example "schedule timeout"'),
  Flag.optional,
);

const runArguments = {
  task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
  id: Argument.String("id").pipe(Argument.withDescription("id of the run")),
};

const list = Command.make(
  "list",
  {
    ...filterFlags,
    reason: reasonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("at most this many, the newest first [default: 50]"),
      Flag.withDefault(50),
    ),
    cursor: Flag.String("cursor").pipe(Flag.withDescription("cursor printed by the previous page"), Flag.optional),
    blocked: Flag.Boolean("blocked").pipe(
      Flag.withDescription("only durable runs waiting for their code: no worker has a matching version"),
      Flag.withDefault(false),
    ),
    output: outputFlag,
  },
  (flags) =>
    checkedFirst(
      () => assertLimit(flags.limit),
      async (natchet, limit) => {
        const { runs, total, cursor } = await natchet.list(
          { ...filterOf(flags), ...because(flags), ...(flags.blocked && { waitingFor: "its code" as const }) },
          { limit, errors: true, ...(Option.isSome(flags.cursor) && { cursor: flags.cursor.value }) },
        );
        print(runs, flags.output, columns, "no run matches");
        if (flags.output === "table" && cursor !== undefined)
          console.log(`\n${runs.length} of ${total} runs; the next ones: --cursor ${cursor}`);
      },
    ),
).pipe(Command.withDescription("List runs, the newest first"));

const get = Command.make("get", { ...runArguments, output: outputFlag }, ({ task, id, output }) =>
  withClient(async (natchet) => {
    const shown = await readRun(natchet, task, id);
    if (output === "json") printJson(shown);
    else console.log(describe(shown));
  }),
).pipe(
  Command.withDescription("Show one run: state, attempts, what a durable one has done, children, output or error"),
);

const cancel = Command.make(
  "cancel",
  {
    name: Argument.String("task").pipe(Argument.withDescription("name of the task"), Argument.optional),
    id: Argument.String("id").pipe(Argument.withDescription("id of the run"), Argument.optional),
    ...filterFlags,
    reason: Flag.String("reason").pipe(
      Flag.withDescription("stored with the run [default: cancelled on the command line]"),
      Flag.withDefault("cancelled on the command line"),
    ),
    kill: Flag.Boolean("kill").pipe(
      Flag.withDescription("end them at once: durable runs do not clean up, and running code is stopped"),
      Flag.withDefault(false),
    ),
  },
  (flags) =>
    checkedFirst(
      () => chosenRuns(flags),
      async (natchet, filter) => {
        const { cancelled, stopping, finished, unknown } = await natchet.cancel(filter, flags.reason, {
          kill: flags.kill,
        });
        tellKeys("cancelled", cancelled);
        tellKeys("stopping", stopping);
        tellKeys("had ended", finished);
        if (unknown.length > 0) throw new Error(`not known: ${unknown.join(", ")}`);
        if (cancelled.length + stopping.length === 0) throw new Error("no unfinished run matches");
      },
    ),
).pipe(
  Command.withDescription("Cancel one run, or all unfinished ones that match"),
  Command.withExamples([
    { command: "natchet runs cancel hello order-42", description: "one run" },
    { command: "natchet runs cancel --task hello --state queued", description: "all waiting ones" },
  ]),
);

const erase = Command.make("erase", runArguments, ({ task, id }) =>
  withClient(async (natchet) => {
    const run = natchet.get(task, id);
    await run.erase();
    tell(`erased ${run.key}`);
  }),
).pipe(
  Command.withDescription("Cancel a run if it has not ended, and erase its input, output, errors, metadata and log"),
  Command.withExamples([{ command: "natchet runs erase hello order-42", description: "without its children" }]),
);

const send = Command.make(
  "send",
  {
    ...runArguments,
    signal: Argument.String("signal").pipe(Argument.withDescription("name of the signal")),
    data: Argument.String("data").pipe(Argument.withDescription("JSON; omit it to send no data"), Argument.optional),
    once: Flag.String("id").pipe(
      Flag.withDescription("id of the signal; sent again, it is stored only once"),
      Flag.optional,
    ),
  },
  ({ task, id, signal: name, data, once }) =>
    checkedFirst(
      () => ({ sent: signal(name), data: Option.isSome(data) ? readJsonFlag(data.value, "the data") : undefined }),
      async (natchet, checked) => {
        const run = natchet.get(task, id);
        await run.send(checked.sent, checked.data as undefined, Option.isSome(once) ? { id: once.value } : {});
        tell(`sent ${name} to ${run.key}`);
      },
    ),
).pipe(
  Command.withDescription("Send a signal to a durable run"),
  Command.withExamples([{ command: `natchet runs send fulfil order-42 pay '{"cents":1}'`, description: "with data" }]),
);

const reschedule = Command.make(
  "reschedule",
  {
    ...runArguments,
    delay: Flag.String("delay").pipe(Flag.withDescription("from now, for example 10m"), Flag.optional),
    at: Flag.String("at").pipe(Flag.withDescription("a time, for example 2030-01-31T09:00:00Z"), Flag.optional),
  },
  ({ task, id, delay, at }) =>
    checkedFirst(
      () => whenOf(delay, at),
      async (natchet, when) => {
        const handle = natchet.get(task, id);
        await handle.reschedule(when);
        const { state, dueAt } = await handle.status();
        tell(`${task}/${id} ${state}${dueAt === undefined ? "" : `, due ${formatTime(dueAt)}`}`);
      },
    ),
).pipe(
  Command.withDescription("Move a run that has not started to another time; without --delay and --at, to now"),
  Command.withExamples([
    { command: "natchet runs reschedule hello order-42 --delay 10m", description: "in ten minutes" },
  ]),
);

const whenOf = (delay: Option.Option<string>, at: Option.Option<string>) => ({
  ...(Option.isSome(delay) && { delay: parsePeriod(delay.value, "--delay") }),
  ...(Option.isSome(at) && { at: parseTime(at.value, "--at") }),
});

const replay = Command.make(
  "replay",
  {
    name: Argument.String("task").pipe(Argument.withDescription("name of the task"), Argument.optional),
    id: Argument.String("id").pipe(Argument.withDescription("id of the run"), Argument.optional),
    ...filterFlags,
    reason: reasonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("at most this many, the newest [default: 1000]"),
      Flag.withDefault(1_000),
    ),
  },
  (flags) =>
    checkedFirst(
      () => ({ filter: chosenRuns(flags, because(flags)), limit: assertLimit(flags.limit) }),
      async (natchet, checked) => {
        const { name, id } = flags;
        const replayed =
          Option.isSome(name) && Option.isSome(id)
            ? [await natchet.get(name.value, id.value).replay()]
            : await natchet.replay(checked.filter, { limit: checked.limit });
        tellKeys(
          "enqueued",
          replayed.map(({ key }) => key),
        );
        if (replayed.length === 0)
          throw new Error("no matching run has ended; without --state only failed ones are replayed");
      },
    ),
).pipe(
  Command.withDescription("Run one run again, or all failed ones that match"),
  Command.withExamples([
    { command: "natchet runs replay hello order-42", description: "one run" },
    {
      command: "natchet runs replay --task hello --metadata customer=42",
      description: "all failed runs of a customer",
    },
  ]),
);

export const runs = Command.make("runs").pipe(
  Command.withDescription("List, show, replay, reschedule, cancel and erase runs, and read their logs"),
  Command.withSubcommands([list, get, replay, reschedule, cancel, erase, send, timeline, logs, stream]),
);

const columns = {
  task: (run: RunInfo) => run.task,
  id: (run: RunInfo) => run.id,
  state: (run: RunInfo) => run.state,
  attempt: (run: RunInfo) => run.attempt,
  created: (run: RunInfo) => formatTime(run.createdAt),
  finished: (run: RunInfo) => formatTime(run.finishedAt),
  why: (run: RunInfo) => errorOf(run),
};

interface ChoiceFlags extends FilterFlags {
  readonly name: Option.Option<string>;
  readonly id: Option.Option<string>;
}

// Without a filter it would be all runs: nobody should do that by forgetting one.
function chosenRuns({ name, id, ...flags }: ChoiceFlags, more: RunFilter = {}): RunFilter {
  const filter = { ...filterOf(flags), ...more };
  if (Option.isSome(name)) {
    if (Option.isNone(id))
      throw new UsageError(`which run of ${name.value}? Give its id, or --task ${name.value} for all of them`);
    return { ...filter, task: name.value, ids: [id.value] };
  }
  if (Object.keys(filter).length === 0)
    throw new UsageError("which runs? Give a task and an id, or a filter, for example --task hello --state queued");
  return filter;
}

interface FilterFlags {
  readonly task: Option.Option<string>;
  readonly state: readonly RunState[];
  readonly metadata: Readonly<Record<string, string>>;
}

const because = ({ reason }: { readonly reason: Option.Option<string> }): RunFilter =>
  Option.isSome(reason) ? { reason: reason.value } : {};

function filterOf({ task, state, metadata }: FilterFlags): RunFilter {
  return {
    ...(Option.isSome(task) && { task: task.value }),
    ...(state.length > 0 && { state: [...state] }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** A list has room for one line of it. */
const errorOf = ({ error, reason, waiting }: RunInfo): string | undefined =>
  (error?.message ?? reason ?? (waiting && inLocalTime(waiting.because)))
    ?.split(/\s*\n\s*/, 1)[0]
    ?.slice(0, longestError);
const longestError = 100;
