// The options of `@OnFailure`: how the handler of failed runs is executed itself.
import type { TaskOptions } from "../src/domain/task.ts";

/** How the handler itself is executed; `name` is the name of its own task. */
export interface OnFailureOptions
  extends Pick<TaskOptions, "retries" | "timeout" | "scheduleTimeout" | "priority" | "concurrency" | "rateLimit"> {
  /** @default `<worker>-<method>`, or `<task>-<method>` for a worker without a given name, after the first task it handles */
  readonly name?: string | undefined;
}
