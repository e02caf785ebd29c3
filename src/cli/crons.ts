// `natchet crons`: lists, sets, pauses, resumes and deletes schedules.
import * as Option from "effect/Option";
import { parseCron } from "../domain/cron.ts";
import type { CronInfo } from "../mod.ts";
import { Argument, Command, Flag } from "./effect-cli.ts";
import { checked, readJsonFlag } from "./flag-values.ts";
import { formatTime, outputFlag, print, tell } from "./output.ts";
import { checkedFirst, withClient } from "./with-client.ts";

const name = Argument.String("name").pipe(Argument.withDescription("name of the schedule"));
const columns = {
  name: (cron: CronInfo) => cron.name,
  task: (cron: CronInfo) => cron.task,
  schedule: (cron: CronInfo) => `${cron.expression} ${cron.timezone}`,
  next: (cron: CronInfo) => (cron.paused ? "paused" : formatTime(cron.nextTick)),
  catchUp: (cron: CronInfo) => cron.catchUp,
  of: (cron: CronInfo) => (cron.origin === "code" ? `worker ${cron.worker}` : "api"),
};

const list = Command.make("list", { output: outputFlag }, ({ output }) =>
  withClient(async (natchet) => print(await natchet.crons.list(), output, columns, "there are no crons")),
).pipe(Command.withDescription("List all schedules and when they are due"));

const set = Command.make(
  "set",
  {
    name,
    task: Argument.String("task").pipe(Argument.withDescription("name of the task")),
    cron: Argument.String("schedule").pipe(
      Argument.withDescription(
        '5 fields (minute hour day month weekday), or 6 with seconds first, for example "0 3 * * *"',
      ),
    ),
    timezone: Flag.String("timezone").pipe(Flag.withDescription("IANA name [default: UTC]"), Flag.optional),
    input: Flag.String("input").pipe(Flag.withDescription("input of each run, as JSON"), Flag.optional),
    catchUp: Flag.Literals("catch-up", ["none", "last", "all"]).pipe(
      Flag.withDescription("which missed ticks still run after an outage [default: last]"),
      Flag.optional,
    ),
  },
  ({ name, task, cron, timezone, input, catchUp }) =>
    checkedFirst(
      () => {
        const options = {
          timezone: Option.getOrUndefined(timezone),
          input: Option.isSome(input) ? readJsonFlag(input.value, "--input") : undefined,
          catchUp: Option.getOrUndefined(catchUp),
        };
        checked(() => parseCron(cron, task, { ...options, name }, `cron "${name}"`));
        return options;
      },
      async (natchet, options) => {
        const made = await natchet.crons.set(name, { task, cron, ...options });
        tell(`cron ${name}: ${dueText(made)}`);
      },
    ),
).pipe(
  Command.withDescription("Create a schedule or change it"),
  Command.withExamples([
    { command: `natchet crons set nightly report "0 3 * * *" --timezone Europe/Berlin`, description: "every night" },
  ]),
);

const dueText = ({ nextTick }: CronInfo): string =>
  nextTick === undefined ? "never due again" : `next due ${formatTime(nextTick)}`;

const make = (verb: "pause" | "resume" | "delete", description: string, done: string) =>
  Command.make(verb, { name }, ({ name }) =>
    withClient(async (natchet) => {
      const cron = await natchet.crons[verb](name);
      tell(`cron ${name}: ${verb === "resume" ? dueText(cron) : done}`);
    }),
  ).pipe(Command.withDescription(description));

export const crons = Command.make("crons").pipe(
  Command.withDescription("Schedules: list, set, pause, resume, delete"),
  Command.withSubcommands([
    list,
    set,
    make("pause", "Skip all ticks until the schedule is resumed", "paused"),
    make("resume", "End a pause", "resumed"),
    make("delete", "Delete a schedule that was created through the API", "deleted"),
  ]),
);
