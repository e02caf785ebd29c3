// Runs in a thread: finds the classes of the modules that it is told, and executes one attempt after the other.
import { parentPort, workerData } from "node:worker_threads";
import { isWorkerClass, isWorkerInstance, scan } from "../../decorators/scan.ts";
import type { TaskContext, TaskLog, WorkerDefinition, WorkerTask } from "../domain/worker.ts";
import type { FromThread, RunInThread, ThreadData, ToThread } from "../worker/thread-messages.ts";
import { onOffered } from "./thread-mode.ts";

const { modules } = JSON.parse(workerData as string) as ThreadData;
const say = (message: FromThread): void => parentPort!.postMessage(message);
const definitions = new Map<string, WorkerDefinition>();
const arrivals: (() => void)[] = [];
const takers = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
let chunks = 0;

function offer(definition: WorkerDefinition): void {
  if (!definitions.has(definition.name)) definitions.set(definition.name, definition);
  for (const listener of arrivals.splice(0)) listener();
}

/** A module that starts its workers at once never ends to be imported: what it starts is offered instead. */
const imported = (async () => {
  for (const module of modules) {
    for (const value of Object.values((await import(module)) as Record<string, unknown>))
      if (isWorkerClass(value) || isWorkerInstance(value)) offer(scan(value));
  }
})();
onOffered(offer);

parentPort!.on("message", (message: ToThread) => {
  if (message.kind === "run") void execute(message);
  else {
    const taker = takers.get(message.n);
    takers.delete(message.n);
    if (message.error === undefined) taker?.resolve();
    else taker?.reject(new Error(message.error));
  }
});

async function execute(run: RunInThread): Promise<void> {
  try {
    const task = await taskOf(run);
    const input = run.input === undefined ? undefined : JSON.parse(run.input);
    const output = await task.handler(input, contextOf(run, input));
    say({ kind: "output", output: JSON.stringify(output) });
  } catch (error) {
    const { name = "Error", message = String(error), stack, ms } = (error ?? {}) as Error & { ms?: number };
    say({ kind: "error", error: { name, message, ...(stack && { stack }), ...(ms !== undefined && { ms }) } });
  }
}

const started = new Map<string, Promise<unknown>>();

async function taskOf({ worker, task }: RunInThread): Promise<WorkerTask> {
  const arrival = () => new Promise<void>((resolve) => arrivals.push(resolve));
  while (!definitions.has(worker)) {
    const isThere = await Promise.race([imported.then(() => definitions.has(worker)), arrival().then(() => true)]);
    if (!isThere) throw new Error(notFound(worker));
  }
  const definition = definitions.get(worker)!;
  // What a worker opens for its tasks is opened in each thread.
  if (!started.has(worker)) started.set(worker, Promise.resolve(definition.onStart?.()));
  await started.get(worker);
  const found = definition.tasks.find(({ name }) => name === task);
  if (found === undefined) throw new Error(`worker "${worker}" has no task "${task}" in ${modules.join(", ")}`);
  return found;
}

const notFound = (worker: string): string =>
  `no class of worker "${worker}" in ${modules.join(", ")}; export it there, or name its module, for example @Task("resize", { thread: import.meta.url })`;

function contextOf({ task, context }: RunInThread, input: unknown): TaskContext {
  const line = (level: keyof TaskLog) => (message: string, fields?: Record<string, unknown>) =>
    say({ kind: "log", level, message, fields: fields === undefined ? undefined : plain(fields) });
  return {
    ...context,
    task,
    input,
    // A thread is not told of a cancellation: it is ended.
    signal: new AbortController().signal,
    log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    progress: (fraction, note) => say({ kind: "progress", fraction, note }),
    extendTimeout: (by) => say({ kind: "extend", by }),
    releaseSlot: () => say({ kind: "letGo" }),
    stream: (chunk) =>
      new Promise<void>((resolve, reject) => {
        chunks += 1;
        takers.set(chunks, { resolve, reject });
        const isJson = typeof chunk !== "string" && !(chunk instanceof Uint8Array);
        say({ kind: "chunk", n: chunks, chunk: isJson ? JSON.stringify(chunk) : chunk, isJson });
      }),
  };
}

/** What cannot be cloned is written as text. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    return structuredClone(fields);
  } catch {
    return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  }
}
