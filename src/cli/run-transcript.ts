// `natchet runs logs|stream`: the logs and chunks of a run, on the terminal.
import * as Option from "effect/Option";
import { printable, printableJson, printableLines } from "../domain/printable.ts";
import { zonedTime } from "../domain/time.ts";
import { formatFields } from "../facade/log-lines.ts";
import type { LogLine, ReadOptions, StreamChunk } from "../mod.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { UsageError } from "./flag-values.ts";
import { outputFlag } from "./output.ts";
import { checkedFirst } from "./with-client.ts";

const shared = {
  task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
  id: Argument.String("id").pipe(Argument.withDescription("id of the run")),
  attempt: Flag.String("attempt").pipe(
    Flag.withDescription('only this attempt, by number, or "newest"'),
    Flag.optional,
  ),
};

export const logs = Command.make(
  "logs",
  {
    ...shared,
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("keep printing until the run ends"),
      Flag.withDefault(false),
    ),
    output: outputFlag,
  },
  ({ task, id, attempt, follow, output }) =>
    checkedFirst(
      () => attemptOf(attempt),
      async (natchet, chosen) => {
        const lines = natchet.get(task, id).logs({ attempt: chosen, follow });
        for await (const line of lines) console.log(output === "json" ? printableJson(line) : format(line));
      },
      { isLong: true },
    ),
).pipe(
  Command.withDescription("Print what a run logged"),
  Command.withExamples([{ command: "natchet runs logs hello order-42 --follow", description: "until it has ended" }]),
);

export const stream = Command.make("stream", shared, ({ task, id, attempt }) =>
  checkedFirst(
    () => attemptOf(attempt),
    async (natchet, chosen) => {
      for await (const chunk of natchet.get(task, id).stream({ attempt: chosen })) await write(chunk);
    },
    { isLong: true },
  ),
).pipe(
  Command.withDescription(
    "Print a run's stream from the first chunk until it ends; values other than text as JSON lines",
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
  throw new UsageError(`--attempt: "${flag.value}" is neither a number from 1 nor "newest", for example --attempt 2`);
}

function format({ at, attempt, level, message, fields }: LogLine): string {
  return `${zonedTime(at)} #${attempt} ${level.padEnd(5)} ${printable(message)}${formatFields(fields)}`;
}

/** Resolves when the terminal or the pipe has taken it; a terminal gets no control characters. */
const write = ({ value }: StreamChunk): Promise<void> =>
  new Promise((resolve, reject) => {
    const bytes =
      typeof value === "string" ? textOf(value) : value instanceof Uint8Array ? value : `${printableJson(value)}\n`;
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

const textOf = (text: string): string => (process.stdout.isTTY ? printableLines(text) : text);
