// `natchet run <task> [json]`: enqueues a run and waits for its output.
import * as Option from "effect/Option";
import { printable, printableJson } from "../domain/printable.ts";
import type { RunKey } from "../domain/run.ts";
import type { EnqueueOptions } from "../mod.ts";
import { afterMs } from "../runtime/long-timer.ts";
import { writeLine } from "../runtime/write-line.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { assertPriority, parsePeriod, parseTime, readJsonFlag } from "./flag-values.ts";
import { tell } from "./output.ts";
import { checkedFirst } from "./with-client.ts";

const optionalText = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional);

const parameters = {
  task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
  json: Argument.String("json").pipe(
    Argument.withDescription("input as JSON; - reads it from stdin"),
    Argument.optional,
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("wait for the output; --no-wait prints the run's name and returns"),
    Flag.withDefault(true),
  ),
  delay: optionalText("delay", "run later, for example 10m"),
  at: optionalText("at", "run at this time, for example 2030-01-31T09:00:00Z"),
  id: optionalText("id", "id of the run; if it exists already, that run is used"),
  metadata: Flag.KeyValuePair("metadata").pipe(
    Flag.withAlias("m"),
    Flag.withDescription("key=value, repeatable"),
    Flag.withDefault({}),
  ),
  priority: Flag.Int("priority").pipe(Flag.withDescription("1 to 9, higher first"), Flag.optional),
  timeout: optionalText("timeout", "how long to wait for the output, for example 30s; the run itself continues"),
};

export const run = Command.make("run", parameters, (flags) =>
  checkedFirst(
    async () => ({
      options: enqueueOptions(flags),
      timeoutMs: Option.isSome(flags.timeout) ? parsePeriod(flags.timeout.value, "--timeout") : undefined,
      input: await readInput(Option.getOrUndefined(flags.json)),
    }),
    async (natchet, { options, timeoutMs, input }) => {
      const handle = await natchet.task<unknown, unknown>(flags.task).enqueue(input, options);
      if (!flags.wait) return tell(`${handle.task}/${handle.id}`);
      const waiting = { timeoutMs, timeout: Option.getOrUndefined(flags.timeout) };
      const output = await waitFor(handle.result(), handle, waiting);
      console.log(printableJson(output, process.stdout.isTTY ? 2 : undefined));
    },
    { isLong: true },
  ),
).pipe(
  Command.withDescription("Run a task and print its output as JSON"),
  Command.withExamples([
    { command: `natchet run hello '{"name":"Ada"}'`, description: "run and wait" },
    { command: `natchet run hello '{"name":"Ada"}' --delay 10m --no-wait`, description: "run in ten minutes" },
  ]),
);

interface EnqueueFlags {
  readonly delay: Option.Option<string>;
  readonly at: Option.Option<string>;
  readonly id: Option.Option<string>;
  readonly metadata: Record<string, string>;
  readonly priority: Option.Option<number>;
}

function enqueueOptions(flags: EnqueueFlags): EnqueueOptions {
  return {
    ...(Option.isSome(flags.delay) && { delay: parsePeriod(flags.delay.value, "--delay") }),
    ...(Option.isSome(flags.at) && { at: parseTime(flags.at.value, "--at") }),
    ...(Option.isSome(flags.id) && { id: flags.id.value }),
    ...(Option.isSome(flags.priority) && { priority: assertPriority(flags.priority.value) }),
    ...(Object.keys(flags.metadata).length > 0 && { metadata: flags.metadata }),
  };
}

async function readInput(json: string | undefined): Promise<unknown> {
  const text = json === "-" ? await readStdin() : json;
  return text === undefined || text.trim() === "" ? undefined : readJsonFlag(text, "the input");
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

interface Wait {
  readonly timeoutMs: number | undefined;
  /** As it was given. */
  readonly timeout: string | undefined;
}

// Waiting may end before the run does: then the run continues, and the message says how to find it.
async function waitFor<T>(result: Promise<T>, run: RunKey, { timeoutMs, timeout }: Wait): Promise<T> {
  const found = `the run continues; see: natchet runs get ${run.task} ${printable(run.id)}`;
  const onInterrupt = () => {
    writeLine(`\nno longer waiting, ${found}`);
    process.exit(130);
  };
  process.once("SIGINT", onInterrupt);
  let callOff = () => {};
  const expired = new Promise<never>((_, reject) => {
    if (timeoutMs !== undefined)
      callOff = afterMs(timeoutMs, () => reject(new Error(`no output after ${timeout}, ${found}`)));
  });
  try {
    return await Promise.race([result, expired]);
  } finally {
    callOff();
    process.off("SIGINT", onInterrupt);
  }
}
