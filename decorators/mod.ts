// decorators/: @Worker, @Task and the others: reads classes into what domain describes.

/**
 * The decorators alone, and how to read them, for programs with their own host.
 *
 * @module
 */

export type { BatchContext, TaskContext, TaskLog } from "../src/domain/context.ts";
export { type Contract, contract, of } from "../src/domain/contract.ts";
export type {
  ChildTask,
  ChildTasks,
  DurableContext,
  MapOptions,
  Settled,
  Won,
} from "../src/domain/durable-context.ts";
export type { DurableOptions } from "../src/domain/durable-task.ts";
export type { FieldIn, FieldsOf } from "../src/domain/plain-fields.ts";
export type { AnySchema, InputOf, OutputOf, Payload, Sent, StandardSchema } from "../src/domain/schema.ts";
export { type Signal, signal } from "../src/domain/signal.ts";
export type { ErrorClass, StepDefinition, StepOptions, StepScope } from "../src/domain/step.ts";
export type { DurablePolicy, TaskDefinition, TaskOptions } from "../src/domain/task.ts";
export type { WorkerDefinition, WorkerSteps, WorkerTask } from "../src/domain/worker.ts";
export type {
  AnyMethod,
  HandlerOutput,
  Handles,
  HasFields,
  Name,
  Slots,
  TaskDecorator,
  WorkerDecorator,
} from "./check.ts";
export { Cron, type CronDecorator } from "./cron.ts";
export { Durable, type MoreDurableOptions, type TypedDurableOptions } from "./durable.ts";
export type { DurableDecorator, HandlesDurably, StepDecorator, StepShape } from "./durable-check.ts";
export type { WorkerFacts } from "./metadata.ts";
export { OnFailure, type OnFailureDecorator } from "./on-failure.ts";
export type { OnFailureOptions } from "./on-failure-options.ts";
export {
  type ClassDescription,
  describeClass,
  isWorkerClass,
  isWorkerInstance,
  scan,
  type WorkerSource,
} from "./scan.ts";
export { Step } from "./step.ts";
export { type FieldsToCheck, type Received, type Returned, Task, type TypedTaskOptions } from "./task.ts";
export { Worker, type WorkerOptions } from "./worker.ts";
