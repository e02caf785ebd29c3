// The public entry: re-exports, nothing else.
export * from "../decorators/mod.ts";
export * from "./client.ts";
export type { ExecuteMiddleware, Execution } from "./domain/middleware.ts";
export {
  defineTask,
  defineWorker,
  type PlainHandler,
  type PlainTaskOptions,
  type PlainWorker,
} from "./domain/plain-worker.ts";
export { connect } from "./facade/connect.ts"; // starts a server where none runs; the one of ./client.ts does not
export type { HealthOptions } from "./facade/health-settings.ts";
export type { StartOptions } from "./facade/settings.ts";
export { type Running, type Startable, start } from "./facade/start.ts";
export { type RunningEngineProcess, startEngine } from "./facade/start-engine.ts";
export { currentRun } from "./worker/context.ts";
export { currentStep } from "./worker/durable/steps.ts";
