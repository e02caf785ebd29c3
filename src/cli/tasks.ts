// `natchet tasks`: the known tasks.
import { Command } from "./effect-cli.ts";
import { outputFlag, print } from "./output.ts";
import { withClient } from "./with-client.ts";

interface TaskRow {
  readonly task: string;
  /** The names of the workers that have it, each once. */
  readonly workers: readonly string[];
  readonly waiting: number;
  readonly running: number;
}

export const tasks = Command.make("tasks", { output: outputFlag }, ({ output }) =>
  withClient(async (natchet) => {
    const [workers, queues] = await Promise.all([natchet.workers(), natchet.queues()]);
    const names = [
      ...new Set([...workers.flatMap((worker) => worker.tasks), ...queues.map((queue) => queue.task)]),
    ].sort();
    const rows = names.map((task): TaskRow => {
      const queue = queues.find((each) => each.task === task);
      return {
        task,
        workers: [
          ...new Set(workers.filter((worker) => worker.tasks.includes(task)).map((worker) => worker.name)),
        ].sort(),
        waiting: (queue?.queued ?? 0) + (queue?.scheduled ?? 0) + (queue?.retrying ?? 0) + (queue?.waiting ?? 0),
        running: queue?.running ?? 0,
      };
    });
    print(rows, output, columns, "no task is known yet; start a worker, for example: natchet dev");
  }),
).pipe(Command.withDescription("Show all tasks and their workers"));

const columns = {
  task: (row: TaskRow) => row.task,
  workers: (row: TaskRow) => (row.workers.length > 0 ? row.workers.join(", ") : "nobody"),
  waiting: (row: TaskRow) => row.waiting,
  running: (row: TaskRow) => row.running,
};
