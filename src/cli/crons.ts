// `natchet crons`: the schedules of a namespace, and how to pause, resume, make and delete them.
import { Option } from "effect";
import { shownTime } from "../domain/time.ts";
import type { CatchUp, CronInfo } from "../mod.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { outputFlag, print } from "./output.ts";
import { withClient } from "./with-client.ts";

const name = Argument.String("name");
const shown = (at: number | undefined): string => (at === undefined || at === 0 ? "" : shownTime(at));
const columns = {
  name: (cron: CronInfo) => cron.name,
  task: (cron: CronInfo) => cron.task,
  schedule: (cron: CronInfo) => `${cron.expression} ${cron.timezone}`,
  next: (cron: CronInfo) => (cron.paused ? "paused" : shown(cron.nextTick)),
  catchUp: (cron: CronInfo) => cron.catchUp,
  of: (cron: CronInfo) => (cron.origin === "code" ? `worker ${cron.worker}` : "api"),
};

const list = Command.make("list", { output: outputFlag }, ({ output }) =>
  withClient(async (natchet) => print(await natchet.crons.list(), output, columns, "there is no cron")),
).pipe(Command.withDescription("Show all schedules and when they are due"));

const set = Command.make(
  "set",
  {
    name,
    task: Argument.String("task"),
    cron: Argument.String("schedule"),
    timezone: Flag.String("timezone").pipe(Flag.withDescription("IANA name, default UTC"), Flag.optional),
    input: Flag.String("input").pipe(Flag.withDescription("JSON"), Flag.optional),
    catchUp: Flag.String("catch-up").pipe(Flag.withDescription("none, last (default) or all"), Flag.optional),
  },
  ({ name, task, cron, timezone, input, catchUp }) =>
    withClient(async (natchet) => {
      const made = await natchet.crons.set(name, {
        task,
        cron,
        timezone: Option.getOrUndefined(timezone),
        input: Option.isSome(input) ? JSON.parse(input.value) : undefined,
        catchUp: Option.getOrUndefined(catchUp) as CatchUp | undefined,
      });
      console.log(`cron ${name} is due next at ${shown(made.nextTick)}`);
    }),
).pipe(
  Command.withDescription("Make a schedule, or change it"),
  Command.withExamples([
    { command: `natchet crons set nightly report "0 3 * * *" --timezone Europe/Berlin`, description: "every night" },
  ]),
);

const make = (verb: "pause" | "resume" | "delete", description: string, said: string) =>
  Command.make(verb, { name }, ({ name }) =>
    withClient(async (natchet) => {
      const cron = await natchet.crons[verb](name);
      console.log(`cron ${name} is ${said}${verb === "resume" ? shown(cron.nextTick) : ""}`);
    }),
  ).pipe(Command.withDescription(description));

export const crons = Command.make("crons").pipe(
  Command.withDescription("Schedules: list, set, pause, resume, delete"),
  Command.withSubcommands([
    list,
    set,
    make("pause", "No ticks until it is resumed; they are not made up for", "paused"),
    make("resume", "End a pause", "due next at "),
    make("delete", "Delete a schedule that was made by the API", "deleted"),
  ]),
);
