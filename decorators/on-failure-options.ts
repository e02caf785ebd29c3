import type { TaskOptions } from "../src/domain/task.ts";

/** How the handler itself is executed; its name is that of its own task. */
export interface OnFailureOptions
  extends Pick<TaskOptions, "retries" | "timeout" | "scheduleTimeout" | "priority" | "concurrency" | "rateLimit"> {
  /** @default `<worker>-<method>`, or `<task>-<method>` for a worker without a name of its own: the first task that it handles */
  readonly name?: string | undefined;
}
