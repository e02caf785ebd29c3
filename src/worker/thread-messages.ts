// What crosses between a worker and the threads of its tasks: plain values, inputs and outputs as JSON.
import type { FailedRun } from "../domain/failure.ts";
import type { ErrorRecord } from "../domain/run.ts";

/** What a thread of tasks is made with. */
export interface ThreadData {
  readonly natchet: "task";
  /** Where the worker classes are, or where they are started. */
  readonly modules: readonly string[];
}

export interface RunInThread {
  readonly kind: "run";
  readonly worker: string;
  readonly task: string;
  readonly input: string | undefined;
  readonly context: {
    readonly runId: string;
    readonly worker: string;
    readonly attempt: number;
    readonly errors: readonly ErrorRecord[];
    readonly metadata: Readonly<Record<string, string>>;
    readonly failedRun: FailedRun | undefined;
  };
}
/** `n` names the chunk that was taken. */
export type ToThread = RunInThread | { readonly kind: "taken"; readonly n: number; readonly error?: string };

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "output"; readonly output: string | undefined }
  | { readonly kind: "error"; readonly error: ThrownInThread }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Record<string, unknown> | undefined;
    }
  | { readonly kind: "progress"; readonly fraction: number; readonly note: string | undefined }
  | { readonly kind: "chunk"; readonly n: number; readonly chunk: string | Uint8Array; readonly isJson: boolean }
  | { readonly kind: "extend"; readonly by: number | string }
  | { readonly kind: "letGo" };

/** `ms` of a RetryLater. */
export interface ThrownInThread extends ErrorRecord {
  readonly ms?: number;
}
