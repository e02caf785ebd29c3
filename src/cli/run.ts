// `natchet run <task> [json]`: enqueues a run and waits for its output.
import { Option } from "effect";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { withClient } from "./with-client.ts";

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
    const name = `${handle.task}/${handle.id}`;
    if (!flags.wait) return console.log(name);
    const output = await waitFor(handle.result(), name, Option.getOrUndefined(flags.timeout));
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
