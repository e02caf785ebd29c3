// The public entry: re-exports, nothing else.
export * from "../decorators/mod.ts";
export type { ClassTasks, TaskOf } from "./client/class-tasks.ts";
export { Natchet } from "./client/client.ts";
export type { EnqueueOptions } from "./client/enqueue-options.ts";
export type { RunHandle } from "./client/run-handle.ts";
export type { ManyOptions, TaskReference } from "./client/task-reference.ts";
export type { DurationInput } from "./domain/duration.ts";
export * from "./domain/errors.ts";
export type { Log } from "./domain/log.ts";
export type { AttemptRecord, ErrorRecord, RunInfo, RunState } from "./domain/run.ts";
export type { Wire } from "./domain/wire.ts";
export { connect } from "./facade/connect.ts";
export type { ConnectOptions, StartOptions } from "./facade/settings.ts";
export { type Running, type Startable, start } from "./facade/start.ts";
export { type RunningEngineProcess, startEngine } from "./facade/start-engine.ts";
export { version } from "./facade/version.ts";
export type { QueueInfo, RunFilter, RunList, WorkerInfo } from "./protocol/messages.ts";
export { currentRun } from "./worker/context.ts";
