// Messages between a worker and its task threads: plain values, inputs and outputs as JSON.

import type { ErrorRecord } from "../../domain/error-record.ts";
import type { FailedRun } from "../../domain/failure.ts";
import type { AttemptRecord } from "../../domain/run.ts";
import type { LineLevel } from "../../domain/transcript.ts";

/** What a thread of tasks is made with. */
export interface ThreadData {
  readonly natchet: "task";
  /** The modules with the worker classes, or those that start them. */
  readonly modules: readonly string[];
}

export interface RunInThread {
  readonly kind: "run";
  /** Name of the worker. */
  readonly workerName: string;
  readonly task: string;
  readonly input: string | undefined;
  readonly context: {
    readonly runId: string;
    /** Id of the worker. */
    readonly worker: string;
    readonly number: number;
    readonly history: readonly AttemptRecord[];
    readonly metadata: Readonly<Record<string, string>>;
    readonly failedRun: FailedRun | undefined;
  };
}

export type ToThread =
  | RunInThread
  /** `n` names the chunk that was taken. */
  | { readonly kind: "taken"; readonly n: number; readonly error?: ErrorRecord }
  | { readonly kind: "abort"; readonly reason: ErrorRecord }
  /** Ends the thread: at once, or after `onStop`. */
  | { readonly kind: "stop" | "close" };

export type FromThread =
  /** User code begins: modules are loaded, the worker is opened, the input is checked. */
  | { readonly kind: "begun" }
  | { readonly kind: "output"; readonly output: string | undefined }
  | { readonly kind: "error"; readonly error: ThrownInThread }
  /** The thread's event loop responds: its code has been told to stop. */
  | { readonly kind: "aborting" }
  | {
      readonly kind: "log";
      readonly level: LineLevel;
      readonly message: string;
      readonly fields: Record<string, unknown> | undefined;
      /** The run, where it has ended already. */
      readonly late?: string;
    }
  | { readonly kind: "progress"; readonly fraction: number; readonly note: string | undefined }
  | { readonly kind: "chunk"; readonly n: number; readonly chunk: string | Uint8Array; readonly isJson: boolean }
  | { readonly kind: "extend"; readonly ms: number }
  | { readonly kind: "letGo" }
  /** An unhandled error of this run, or of an unknown one. */
  | { readonly kind: "unhandled"; readonly error: ErrorRecord; readonly run: string | undefined };

export interface ThrownInThread {
  readonly record: ErrorRecord;
  /** Other fields of the error that are a string, number or boolean. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** The verdict of the task's policy. */
  readonly isFinal: boolean;
  /** The thread can no longer be used. */
  readonly isBroken?: boolean;
}
