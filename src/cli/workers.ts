// `natchet workers`: the connected workers.
import type { WorkerInfo } from "../mod.ts";
import { Command } from "./effect-cli.ts";
import { outputFlag, print } from "./output.ts";
import { withClient } from "./with-client.ts";

export const workers = Command.make("workers", { output: outputFlag }, ({ output }) =>
  withClient(async (natchet) =>
    print(await natchet.workers(), output, columns, "no worker is connected; start one, for example: natchet dev"),
  ),
).pipe(Command.withDescription("Show the connected workers, their slots and tasks"));

const columns = {
  id: (worker: WorkerInfo) => worker.id,
  name: (worker: WorkerInfo) => worker.name,
  busy: (worker: WorkerInfo) => worker.busy,
  lag: (worker: WorkerInfo) => (worker.lagMs < 100 ? "" : `${worker.lagMs} ms`),
  slots: (worker: WorkerInfo) => worker.slots,
  state: (worker: WorkerInfo) => worker.state,
  runtime: (worker: WorkerInfo) => worker.runtime,
  tasks: (worker: WorkerInfo) => worker.tasks.join(", "),
};
