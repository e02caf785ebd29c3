// `natchet queues`: how many runs of each task are waiting and running.

import { Command } from "./effect-cli.ts";
import { outputFlag, print } from "./output.ts";
import { withClient } from "./with-client.ts";

export const queues = Command.make("queues", { output: outputFlag }, ({ output }) =>
  withClient(async (natchet) => {
    const found = await natchet.queues();
    const columns = {
      task: (queue: (typeof found)[number]) => queue.task,
      queued: (queue: (typeof found)[number]) => queue.queued,
      running: (queue: (typeof found)[number]) => queue.running,
      scheduled: (queue: (typeof found)[number]) => queue.scheduled,
      retrying: (queue: (typeof found)[number]) => queue.retrying,
      waiting: (queue: (typeof found)[number]) => queue.waiting,
      paused: (queue: (typeof found)[number]) => (queue.paused ? "yes" : ""),
      workers: (queue: (typeof found)[number]) => queue.workers,
    };
    print(found, output, columns, "no task is known yet; start a worker, for example: natchet dev");
  }),
).pipe(Command.withDescription("Show waiting and running runs by task"));
