// The first line of a process: what it is and where it works.
import type { Log } from "../domain/log.ts";
import type { WorkerDefinition } from "../domain/worker.ts";
import { isSupervised } from "../runtime/environment.ts";
import { runtimeName } from "../runtime/process.ts";
import type { FoundServer } from "./found-server.ts";
import type { Settings } from "./settings.ts";
import { version } from "./version.ts";

/** `natchet 0.2.0 · bun 1.4.5 · namespace default · embedded NATS in .natchet (nats://127.0.0.1:21362)` */
export const bannerOf = ({ nats }: Settings, { where }: FoundServer): string =>
  [`natchet ${version}`, runtimeName(), `namespace ${nats.namespace}`, where].join(" · ");

/** Next steps, for a person at a terminal. */
export function tellWhatToTry({ logger, logFormat }: Settings, workers: readonly WorkerDefinition[], log: Log): void {
  if (process.stderr.isTTY !== true || logger !== undefined || logFormat === "json" || isSupervised()) return;
  const task = workers.flatMap(({ tasks }) => tasks).find(({ handlesFailures }) => handlesFailures !== true);
  if (task === undefined) return;
  const input = task.input === undefined && task.crons !== undefined ? "" : " '{…}'";
  log.info(`try: natchet run ${task.name}${input} · natchet runs list · natchet queues`);
}
