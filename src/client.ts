/**
 * The client alone: store runs, wait for results, ask what is there.
 *
 * It starts no server, engine or worker and loads no decorators. Runs on Node 20 and newer, on Bun and on Deno.
 *
 * @module
 */

export type { Patience } from "./client/asking/patience.ts";
export type { CallLimits } from "./client/call-limit.ts";
export type { ClassTasks, TaskOf } from "./client/class-tasks.ts";
export { Natchet } from "./client/client.ts";
export type { EnqueueOptions } from "./client/enqueue-options.ts";
export type { Enqueued, Enqueueing, EnqueueMiddleware } from "./client/middleware.ts";
export type { ListOptions } from "./client/reading/list-options.ts";
export type { ReadOptions } from "./client/reading/read-options.ts";
export type { CancelOptions, RunHandle, SendOptions } from "./client/run-handle.ts";
export type { CallOptions, ManyOptions, TaskReference } from "./client/task-reference.ts";
export { type Contract, contract, of } from "./domain/contract.ts";
export type { CatchUp, CronInfo, CronOptions } from "./domain/cron.ts";
export type { DurationInput } from "./domain/duration.ts";
export type { EncryptionKey, EncryptionOptions, KeySource } from "./domain/encryption.ts";
export type { ErrorRecord } from "./domain/error-record.ts";
export * from "./domain/errors.ts";
export type { QueueInfo, RunFilter, RunList, WorkerInfo } from "./domain/listing.ts";
export type { Log } from "./domain/log.ts";
export type { Pauses, PauseTarget } from "./domain/pauses.ts";
export type { AttemptRecord, Cancellation, RunInfo, RunState, Waiting } from "./domain/run.ts";
export type { AnySchema, InputOf, OutputOf, Payload, Sent, StandardSchema } from "./domain/schema.ts";
export { type Signal, signal } from "./domain/signal.ts";
export type { Timeline, TimelineEntry } from "./domain/timeline.ts";
export type { LineLevel, LogLine, Progress, StreamChunk } from "./domain/transcript.ts";
export type { Wire } from "./domain/wire.ts";
export { connect } from "./facade/connect-client.ts";
export type { ClientOptions, ConnectOptions } from "./facade/settings.ts";
export { version } from "./facade/version.ts";
