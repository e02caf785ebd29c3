// `natchet run <task> [json]`: enqueues a run and waits for its output.
import { Option } from "effect";
import { parseDuration } from "../domain/duration.ts";
import type { RunKey } from "../domain/run.ts";
import type { EnqueueOptions, Natchet } from "../mod.ts";
import { afterMs } from "../runtime/long-timer.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { sentenceOf, withClient } from "./with-client.ts";

const optionalText = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional);

const parameters = {
  task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
  json: Argument.String("json").pipe(
    Argument.withDescription("input as JSON; - reads it from stdin"),
    Argument.optional,
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("wait for the output; --no-wait prints the run's name and ends"),
    Flag.withDefault(true),
  ),
  delay: optionalText("delay", "run later, for example 10m"),
  at: optionalText("at", "run at this time, for example 2030-01-31T09:00:00Z"),
  id: optionalText("id", "id of the run; a second create with it returns the first run"),
  metadata: Flag.KeyValuePair("metadata").pipe(
    Flag.withAlias("m"),
    Flag.withDescription("key=value, repeatable"),
    Flag.withDefault({}),
  ),
  priority: Flag.Int("priority").pipe(Flag.withDescription("1 to 9, higher first"), Flag.optional),
  timeout: optionalText("timeout", "how long to wait for the output, for example 30s; the run itself goes on"),
};

export const run = Command.make("run", parameters, (flags) =>
  withClient(async (natchet) => {
    const input = await readInput(Option.getOrUndefined(flags.json));
    const handle = await natchet.task<unknown, unknown>(flags.task).enqueue(input, enqueueOptions(flags));
    if (!flags.wait) return console.log(`${handle.task}/${handle.id}`);
    const hint = setTimeout(() => void tellIfNobodyWorks(natchet, flags.task), 3_000);
    const output = await waitFor(handle.result(), handle, Option.getOrUndefined(flags.timeout)).finally(() =>
      clearTimeout(hint),
    );
    console.log(
      output === undefined ? "null" : JSON.stringify(output, undefined, process.stdout.isTTY ? 2 : undefined),
    );
  }),
).pipe(
  Command.withDescription("Run a task and print its output as JSON"),
  Command.withExamples([
    { command: `natchet run hello '{"name":"Ada"}'`, description: "run and wait" },
    { command: `natchet run hello '{"name":"Ada"}' --delay 10m --no-wait`, description: "run in ten minutes" },
  ]),
);

// Only a hint: where no engine answers there is no worker to be seen either.
async function tellIfNobodyWorks(natchet: Natchet, task: string): Promise<void> {
  const workers = await natchet.workers().catch(() => []);
  if (workers.some((worker) => worker.tasks.includes(task))) return;
  console.error(`waiting: no worker has the task "${task}" yet; start one, for example: natchet dev`);
}

interface EnqueueFlags {
  readonly delay: Option.Option<string>;
  readonly at: Option.Option<string>;
  readonly id: Option.Option<string>;
  readonly metadata: Record<string, string>;
  readonly priority: Option.Option<number>;
}

function enqueueOptions(flags: EnqueueFlags): EnqueueOptions {
  return {
    ...(Option.isSome(flags.delay) && { delay: flags.delay.value }),
    ...(Option.isSome(flags.at) && { at: parseTime(flags.at.value) }),
    ...(Option.isSome(flags.id) && { id: flags.id.value }),
    ...(Option.isSome(flags.priority) && { priority: flags.priority.value }),
    ...(Object.keys(flags.metadata).length > 0 && { metadata: flags.metadata }),
  };
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new TypeError(`--at "${text}" is no time, for example 2030-01-31T09:00:00Z`);
  return time;
}

async function readInput(json: string | undefined): Promise<unknown> {
  const text = json === "-" ? await readStdin() : json;
  if (text === undefined || text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`the input is no JSON (${sentenceOf(error)}), for example '{"name":"Ada"}'`);
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

// Waiting may end before the run does: then the run goes on, and the message says how to find it.
async function waitFor<T>(result: Promise<T>, run: RunKey, timeout: string | undefined): Promise<T> {
  const found = `the run goes on; see: natchet runs get ${run.task} ${run.id}`;
  const onInterrupt = () => {
    console.error(`\nno longer waiting, ${found}`);
    process.exit(130);
  };
  process.once("SIGINT", onInterrupt);
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, "--timeout");
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
