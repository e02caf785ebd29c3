// The code of a task thread: it finds the worker classes of its modules, and executes one attempt after another.
import { parentPort, workerData } from "node:worker_threads";
import { isWorkerClass, isWorkerInstance, scan } from "../../decorators/scan.ts";
import { keyOf } from "../domain/run.ts";
import { errorRecordOf } from "../domain/thrown.ts";
import type { WorkerDefinition, WorkerTask } from "../domain/worker.ts";
import { surroundingRun } from "../worker/context.ts";
import { ThreadAttempt } from "../worker/threads/thread-attempt.ts";
import type { FromThread, RunInThread, ThreadData, ToThread } from "../worker/threads/thread-messages.ts";
import { onOffered } from "./thread-mode.ts";

const { modules } = JSON.parse(workerData as string) as ThreadData;
const say = (message: FromThread): void => parentPort!.postMessage(message);
const definitions = new Map<string, WorkerDefinition>();
const arrivals: (() => void)[] = [];
let attempt: ThreadAttempt | undefined;

function offer(definition: WorkerDefinition): void {
  if (!definitions.has(definition.name)) definitions.set(definition.name, definition);
  for (const listener of arrivals.splice(0)) listener();
}

/** The import of a module that starts its workers at once never finishes; what it starts is offered instead. */
const imported = (async () => {
  for (const module of modules) {
    for (const value of Object.values((await import(module)) as Record<string, unknown>))
      if (isWorkerClass(value) || isWorkerInstance(value)) offer(scan(value));
  }
})();
imported.catch(() => {}); // the runs that need a class of the module get the error
onOffered(offer);

parentPort!.on("message", (message: ToThread) => {
  if (message.kind === "run") {
    attempt = new ThreadAttempt(message, say);
    void attempt.execute(() => taskOf(message));
  } else if (message.kind === "taken") attempt?.taken(message.n, message.error);
  else if (message.kind === "abort") attempt?.abort(message.reason);
  else if (message.kind === "stop") exitThread(0);
  else void close();
});

const started = new Map<string, Promise<unknown>>();

async function taskOf({ workerName, task }: RunInThread): Promise<WorkerTask> {
  const arrival = () => new Promise<void>((resolve) => arrivals.push(resolve));
  while (!definitions.has(workerName)) {
    const isThere = await Promise.race([imported.then(() => definitions.has(workerName)), arrival().then(() => true)]);
    if (!isThere) throw new Error(notFound(workerName));
  }
  const definition = definitions.get(workerName)!;
  // Each thread calls `onStart`: what a worker opens for its tasks cannot be shared between threads.
  if (!started.has(workerName)) started.set(workerName, (async () => definition.onStart?.())());
  await started.get(workerName);
  const found = definition.tasks.find(({ name }) => name === task);
  if (found === undefined) throw new Error(`worker "${workerName}" has no task "${task}" in ${modules.join(", ")}`);
  return found;
}

const notFound = (worker: string): string =>
  `no class of worker "${worker}" in ${modules.join(", ")}; export it there, or name its module, for example @Task("resize", { thread: import.meta.url })`;

/** Closes what was opened here, then ends the thread. */
async function close(): Promise<void> {
  for (const name of started.keys()) {
    try {
      await definitions.get(name)!.onStop?.();
    } catch (error) {
      say({ kind: "unhandled", error: errorRecordOf(error), run: undefined });
    }
  }
  exitThread(0);
}

// The code of a run may throw, reject or exit after the run has ended. That must not affect the run that is executing by then.
const exitThread = process.exit.bind(process);
process.exit = (code) => {
  const by = surroundingRun();
  const isLate = by !== undefined && (by.runId !== attempt?.runId || by.attempt !== attempt.number);
  if (isLate) throw new Error(`process.exit(${code ?? ""}) was called by code of a run that has ended`);
  return exitThread(code);
};
const tellUnhandled = (error: unknown) => {
  const run = surroundingRun();
  say({ kind: "unhandled", error: errorRecordOf(error), run: run && keyOf(run.task, run.runId) });
};
process.on("unhandledRejection", tellUnhandled);
process.on("uncaughtException", tellUnhandled);
