// `natchet pause` and `natchet resume`: a task, a worker or everything.
import { Option } from "effect";
import type { Natchet, Pauses, PauseTarget } from "../mod.ts";
import { Command, Flag } from "./effect-cli.ts";
import { withClient } from "./with-client.ts";

const flags = {
  task: Flag.String("task").pipe(Flag.withAlias("t"), Flag.withDescription("name of a task"), Flag.optional),
  worker: Flag.String("worker").pipe(
    Flag.withAlias("w"),
    Flag.withDescription("name of workers, or id of one"),
    Flag.optional,
  ),
  all: Flag.Boolean("all").pipe(Flag.withDescription("the whole namespace"), Flag.withDefault(false)),
};

interface Choice {
  readonly task: Option.Option<string>;
  readonly worker: Option.Option<string>;
  readonly all: boolean;
}

const make = (verb: "pause" | "resume", description: string) =>
  Command.make(verb, flags, (choice) =>
    withClient(async (natchet: Natchet) => console.log(describe(await natchet[verb](targetOf(choice, verb))))),
  ).pipe(
    Command.withDescription(description),
    Command.withExamples([{ command: `natchet ${verb} --task hello`, description: "one task, on all workers" }]),
  );

export const pause = make("pause", "Give no new runs to a task, a worker or anybody; running ones go on");
export const resume = make("resume", "End a pause");

function targetOf({ task, worker, all }: Choice, verb: string): PauseTarget {
  const chosen = [Option.isSome(task), Option.isSome(worker), all].filter(Boolean).length;
  if (chosen !== 1) throw new TypeError(`${verb} what? Give one of --task hello, --worker email and --all`);
  return { task: Option.getOrUndefined(task), worker: Option.getOrUndefined(worker) };
}

function describe({ namespace, tasks, workers }: Pauses): string {
  const paused = [
    ...(namespace ? ["everything"] : []),
    ...tasks.map((task) => `task ${task}`),
    ...workers.map((worker) => `worker ${worker}`),
  ];
  return paused.length === 0 ? "nothing is paused" : `paused: ${paused.join(", ")}`;
}
