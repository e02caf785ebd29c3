// `natchet pause` and `natchet resume`: a task, a worker or everything.
import * as Option from "effect/Option";
import type { Natchet, Pauses, PauseTarget } from "../mod.ts";
import { Command, Flag } from "./effect-cli.ts";
import { UsageError } from "./flag-values.ts";
import { knownNames, unknownTask, unknownWorker } from "./known-names.ts";
import { tell, warn } from "./output.ts";
import { checkedFirst } from "./with-client.ts";

const flags = {
  task: Flag.String("task").pipe(Flag.withAlias("t"), Flag.withDescription("name of a task"), Flag.optional),
  worker: Flag.String("worker").pipe(
    Flag.withAlias("w"),
    Flag.withDescription("name of a worker, or the id of one process"),
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
    checkedFirst(
      () => targetOf(choice, verb),
      async (natchet, target) => {
        const warning = await warningOf(natchet, target); // asked first: what is paused is known from then on
        const pauses = await (verb === "resume" && choice.all ? resumeAll(natchet) : natchet[verb](target));
        tell(pausesText(pauses));
        if (warning !== undefined) warn(`warning: ${warning}`);
      },
    ),
  ).pipe(
    Command.withDescription(description),
    Command.withExamples([{ command: `natchet ${verb} --task hello`, description: "one task, on all workers" }]),
  );

export const pause = make("pause", "Start no new runs of a task, on a worker, or at all; running ones continue");
export const resume = make("resume", "End a pause; --all ends every pause");

function targetOf({ task, worker, all }: Choice, verb: string): PauseTarget {
  const chosen = [Option.isSome(task), Option.isSome(worker), all].filter(Boolean).length;
  if (chosen !== 1) throw new UsageError(`${verb} what? Give one of --task hello, --worker email and --all`);
  return { task: Option.getOrUndefined(task), worker: Option.getOrUndefined(worker) };
}

/** The pause of the namespace, and each pause of a task or worker. */
async function resumeAll(natchet: Natchet): Promise<Pauses> {
  let pauses = await natchet.resume();
  for (const task of pauses.tasks) pauses = await natchet.resume({ task });
  for (const worker of pauses.workers) pauses = await natchet.resume({ worker });
  return pauses;
}

/** A pause may be meant for a future worker; more often the name is misspelt. */
async function warningOf(natchet: Natchet, { task, worker }: PauseTarget): Promise<string | undefined> {
  if (task === undefined && worker === undefined) return undefined;
  const known = await knownNames(natchet);
  if (task !== undefined && ![...known.tasks, ...known.queues].includes(task)) return unknownTask(task, known.tasks);
  if (worker !== undefined && ![...known.workers, ...known.workerIds].includes(worker))
    return unknownWorker(worker, known.workers);
  return undefined;
}

/** All pauses that are in force. */
function pausesText({ namespace, tasks, workers }: Pauses): string {
  const paused = [
    ...(namespace ? ["everything"] : []),
    ...tasks.map((task) => `task ${task}`),
    ...workers.map((worker) => `worker ${worker}`),
  ];
  return paused.length === 0 ? "nothing is paused" : `paused: ${paused.join(", ")}`;
}
