// What a running worker is to others, and what may be said about how it runs.

import type { Log } from "../domain/log.ts";
import type { ExecuteMiddleware } from "../domain/middleware.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { TranscriptStore } from "../nats/transcripts.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Heart } from "./heart/heart.ts";
import type { Meter } from "./meter.ts";
import type { ThreadPool } from "./threads/thread-pool.ts";

/** Units: milliseconds */
export interface WorkerOptions {
  /** A name for the process, the same for all that lives in it. @default the worker's id */
  readonly process?: string;
  /** How long a stop waits for running tasks. @default 30_000 */
  readonly shutdownTimeoutMs?: number;
  /** How long an aborted task may take to end before its verdict is given. @default 5_000 */
  readonly cancelGraceMs?: number;
  /** @default 4_000 */
  readonly heartbeatMs?: number;
  readonly runtime?: string;
  readonly version?: string;
  /** Around every task, outside of the worker's own and the task's own. */
  readonly middleware?: readonly ExecuteMiddleware[];
}

export interface RunningWorker {
  readonly id: string;
  readonly name: string;
  /** Resolves when an engine knows this worker. */
  readonly registered: Promise<void>;
  /** Attempts whose code runs now. */
  readonly busy: number;
  /**
   * Changes labels while the worker runs, `undefined` removes one; resolves when an engine knows it.
   *
   * Fails: TypeError for a value that is neither text nor number
   * @example await running.workers[0].label({ model: "llama-70b" })
   */
  label(labels: Readonly<Record<string, string | number | undefined>>): Promise<void>;
  /** Attempts that may run at the same time. */
  readonly slots: number;
  /** Runs that it answers for: executing, or ended and not stored yet. */
  readonly held: number;
  /** Why no run can come to it just now, apart from pauses; undefined while one can. */
  readonly obstacle: string | undefined;
}

export interface WorkerParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly log: Log;
  /** Keeps what tasks say. */
  readonly transcripts: TranscriptStore;
  /** Beats for this worker while the process's event loop is blocked. */
  readonly heart?: Heart | undefined;
  /** Executes tasks that ask for a thread. */
  readonly threads?: ThreadPool | undefined;
  /** Where an engine of this process finds the worker. */
  readonly neighbours?: Neighbours;
  /** Counts attempts, for whoever looks. */
  readonly meter?: Meter | undefined;
}
