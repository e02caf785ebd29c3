// The thread mode: in a task thread, `start` starts nothing and offers the workers that it was given.
import { isMainThread, workerData } from "node:worker_threads";
import type { WorkerDefinition } from "../domain/worker.ts";

/** Whether this is a thread that natchet made for tasks. */
export const isTaskThread: boolean =
  !isMainThread && typeof workerData === "string" && workerData.startsWith('{"natchet":"task"');

let take: ((definition: WorkerDefinition) => void) | undefined;
const early: WorkerDefinition[] = [];

export function offerWorkers(definitions: readonly WorkerDefinition[]): void {
  for (const definition of definitions) {
    if (take === undefined) early.push(definition);
    else take(definition);
  }
}

export function onOffered(listener: (definition: WorkerDefinition) => void): void {
  take = listener;
  for (const definition of early.splice(0)) listener(definition);
}
