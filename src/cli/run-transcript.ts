// `natchet runs logs|stream`: what a run says, on the terminal.
import { Option } from "effect";
import { formatFields } from "../facade/log-lines.ts";
import type { LogLine, ReadOptions, StreamChunk } from "../mod.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { outputFlag } from "./output.ts";
import { withClient } from "./with-client.ts";

const shared = {
  task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
  id: Argument.String("id").pipe(Argument.withDescription("id of the run")),
  attempt: Flag.String("attempt").pipe(
    Flag.withDescription('only this attempt: its number, or "newest"'),
    Flag.optional,
  ),
};

export const logs = Command.make(
  "logs",
  {
    ...shared,
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("go on until the run has ended"),
      Flag.withDefault(false),
    ),
    output: outputFlag,
  },
  ({ task, id, attempt, follow, output }) =>
    withClient(async (natchet) => {
      const lines = natchet.get(task, id).logs({ attempt: attemptOf(attempt), follow });
      for await (const line of lines) console.log(output === "json" ? JSON.stringify(line) : format(line));
    }),
).pipe(
  Command.withDescription("Print the lines of a run"),
  Command.withExamples([{ command: "natchet runs logs hello order-42 --follow", description: "until it has ended" }]),
);

export const stream = Command.make("stream", shared, ({ task, id, attempt }) =>
  withClient(async (natchet) => {
    for await (const chunk of natchet.get(task, id).stream({ attempt: attemptOf(attempt) })) await write(chunk);
  }),
).pipe(
  Command.withDescription(
    "Print the chunks of a run, from the first one until it has ended; values that are no text as JSON lines",
  ),
  Command.withExamples([
    { command: "natchet runs stream answer order-42 --attempt newest", description: "without earlier attempts" },
  ]),
);

function attemptOf(flag: Option.Option<string>): ReadOptions["attempt"] {
  if (Option.isNone(flag)) return "all";
  if (flag.value === "newest" || flag.value === "all") return flag.value;
  const attempt = Number(flag.value);
  if (Number.isSafeInteger(attempt) && attempt >= 1) return attempt;
  throw new TypeError(`--attempt: "${flag.value}" is no number from 1 and not newest, for example --attempt 2`);
}

function format({ at, attempt, level, message, fields }: LogLine): string {
  const time = new Date(at).toISOString().slice(11, 23);
  return `${time} #${attempt} ${level.padEnd(5)} ${message}${formatFields(fields)}`;
}

/** Resolves when the terminal or the pipe has taken it. */
const write = ({ value }: StreamChunk): Promise<void> =>
  new Promise((resolve, reject) => {
    const bytes = typeof value === "string" || value instanceof Uint8Array ? value : `${JSON.stringify(value)}\n`;
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
