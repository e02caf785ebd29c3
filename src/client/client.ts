// The caller's side: tasks to run, runs to look at, workers and queues to see. Promises and plain objects only.

import type { Contract } from "../domain/contract.ts";
import { assertName } from "../domain/names.ts";
import { assertRunId, makeRunIdGenerator } from "../domain/run-id.ts";
import type { AnySchema, InputOf, OutputOf } from "../domain/schema.ts";
import { toStandard } from "../domain/schema.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import type { CancelReply, QueueInfo, RunFilter, RunList, WorkerInfo } from "../protocol/messages.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { ClassTasks } from "./class-tasks.ts";
import { EngineRequests } from "./engine-requests.ts";
import { Results } from "./results.ts";
import { RunHandle } from "./run-handle.ts";
import { type TaskParts, TaskReference, type TaskShape } from "./task-reference.ts";

type WorkerClass<W> = abstract new (...args: any) => W;

export interface ClientParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  /** Reads a decorated class: its tasks by the key of the method. */
  readonly describe: (cls: Function) => ReadonlyMap<string, TaskShape>;
  /** Gives back what was opened for this client. */
  readonly release: () => Promise<void>;
}

/** A client of one namespace. */
export class Natchet {
  readonly #parts: ClientParts;
  readonly #taskParts: TaskParts;
  readonly #results: Results;
  readonly #requests: EngineRequests;

  constructor(parts: ClientParts) {
    const { link, publisher, subjects } = parts;
    this.#parts = parts;
    this.#results = new Results(link, subjects);
    this.#requests = new EngineRequests(link, subjects);
    this.#taskParts = {
      link,
      publisher,
      subjects,
      results: this.#results,
      requests: this.#requests,
      nextId: makeRunIdGenerator(),
    };
  }

  /**
   * The tasks of a worker class, by method, typed by their signatures.
   *
   * With the type only (`tasks<EmailWorker>()`) a task must have its method's name; with the class, any name is found and inputs are
   * checked by the task's schema before they are sent.
   */
  tasks<W extends object>(cls?: WorkerClass<W>): ClassTasks<W> {
    if (cls === undefined) return this.#tasksByName() as ClassTasks<W>;
    const references = Array.from(
      this.#parts.describe(cls),
      ([key, shape]) => [key, new TaskReference(shape, this.#taskParts)] as const,
    );
    return Object.fromEntries(references) as unknown as ClassTasks<W>;
  }

  /** A task by its contract, or by its name with types that the caller declares. */
  task<I extends AnySchema, O extends AnySchema>(
    contract: Contract<I, O>,
  ): TaskReference<[input: InputOf<I>], OutputOf<O>>;
  task<Input = unknown, Output = unknown>(name: string): TaskReference<[input: Input], Output>;
  task(task: string | Contract): TaskReference<[input: unknown], unknown> {
    if (typeof task === "string") return new TaskReference({ name: assertName("task", task, "task") }, this.#taskParts);
    const shape = {
      name: task.name,
      input: toStandard(task.input, "input"),
      output: toStandard(task.output, "output"),
    };
    return new TaskReference(shape, this.#taskParts);
  }

  /** A handle on any run; whether it exists shows when it is used. */
  get<Output = unknown>(task: string, id: string): RunHandle<Output> {
    const parts = { results: this.#results, requests: this.#requests, readOutput: (output: unknown) => output };
    return new RunHandle<Output>(assertName("task", task, "get"), assertRunId(id, "get"), undefined, parts);
  }

  /** The newest runs that match, and how many match in all. Fails: EngineUnreachable */
  list(filter: RunFilter = {}, options: { readonly limit?: number; readonly before?: Date } = {}): Promise<RunList> {
    return this.#requests.list(filter, options.limit ?? 100, options.before?.getTime());
  }

  /** Cancels every unfinished run that matches; resolves with the keys. Fails: EngineUnreachable */
  cancel(filter: RunFilter, reason = "cancelled by a caller"): Promise<CancelReply> {
    return this.#requests.cancel({ filter, reason });
  }

  async workers(): Promise<readonly WorkerInfo[]> {
    return (await this.#requests.workers()).workers;
  }

  queues(): Promise<readonly QueueInfo[]> {
    return this.#requests.queues();
  }

  /** Closes the connection; who still waits for a result is told so. Runs go on. */
  async close(): Promise<void> {
    this.#results.close();
    await this.#parts.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tasksByName(): object {
    const parts = this.#taskParts;
    return new Proxy(
      {},
      {
        get: (_, key) =>
          typeof key === "string" && key !== "then" ? new TaskReference({ name: key }, parts) : undefined,
      },
    );
  }
}
