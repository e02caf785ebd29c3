// client/: enqueue, wait, query.
// The client: how a program reaches tasks, runs, workers and queues, by promises and plain objects only.
import type { Contract } from "../domain/contract.ts";
import { assertKnownOptions } from "../domain/known-options.ts";
import type { CancelReply, QueueInfo, RunFilter, RunList, WorkerInfo } from "../domain/listing.ts";
import { type Log, silentLog } from "../domain/log.ts";
import { assertName } from "../domain/names.ts";
import type { Pauses, PauseTarget } from "../domain/pauses.ts";
import type { Parent } from "../domain/policies.ts";
import { isFinished } from "../domain/run.ts";
import { assertRunId } from "../domain/run-id.ts";
import { type AnySchema, type InputOf, type OutputOf, toStandard } from "../domain/schema.ts";
import { JournalStore } from "../nats/journal.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import { RunStore } from "../nats/run-store.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import { StoredEntries } from "../nats/stored-entries.ts";
import { Transcripts } from "../nats/transcripts.ts";
import { openRun } from "../sealing/sealed.ts";
import type { Vault } from "../sealing/vault.ts";
import type { Subjects } from "../wire/subjects.ts";
import { Cancels } from "./asking/cancels.ts";
import { EngineRequests } from "./asking/engine-requests.ts";
import { LeaderLine } from "./asking/leader-line.ts";
import { deadlineOf, type Patience } from "./asking/patience.ts";
import { pauseTarget } from "./asking/pause-target.ts";
import { assertFilter, assertNotEmpty } from "./asking/run-filter.ts";
import { SignalSender } from "./asking/signal-sender.ts";
import { type ClassTasks, tasksByName, tasksOf } from "./class-tasks.ts";
import { Crons } from "./crons.ts";
import { aroundEnqueue, type EnqueueMiddleware } from "./middleware.ts";
import type { ListOptions } from "./reading/list-options.ts";
import { readList } from "./reading/listed-runs.ts";
import { RunReader } from "./reading/run-reader.ts";
import { LongWaits } from "./results/long-waits.ts";
import { Results } from "./results/results.ts";
import { type CancelOptions, RunHandle } from "./run-handle.ts";
import { RunWriter } from "./run-writer.ts";
import { type ArgsOf, type TaskParts, TaskReference, type TaskShape } from "./task-reference.ts";

type WorkerClass<W> = abstract new (...args: any) => W;

/** @internal */
export interface ClientParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  /** Knows what is wrong with the streams. */
  readonly store?: StoreWatch;
  /** Reads a decorated class: its tasks by the key of the method. */
  readonly describe: (cls: Function) => ReadonlyMap<string, TaskShape>;
  /** Runs around the storing of every run. */
  readonly middleware?: readonly EnqueueMiddleware[] | undefined;
  /** The run in whose code a call is made: what that enqueues are its children. */
  readonly parent?: (() => Parent | undefined) | undefined;
  /** Where the server is, for people. */
  readonly server?: string | undefined;
  /** Seals what is stored and opens what is read; absent where encryption is off. */
  readonly vault?: Vault | undefined;
  /** Where callers are told why they wait. */
  readonly log?: Log | undefined;
  /** Releases what was opened for this client. */
  readonly release: () => Promise<void>;
}

/** A client of one namespace. */
export class Natchet {
  readonly #parts: ClientParts;
  readonly #taskParts: TaskParts;
  readonly #requests: EngineRequests;
  readonly #entries: StoredEntries;
  readonly #line: LeaderLine;
  /** Schedules: create, list, pause, resume and delete them. */
  readonly crons: Crons;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: ClientParts) {
    const { link, publisher, subjects, vault, log = silentLog } = parts;
    this.#parts = parts;
    const store = new RunStore(link, subjects);
    const entries = new StoredEntries(store, subjects);
    const line = new LeaderLine(link, subjects);
    const requests = new EngineRequests(line, (reason) => longWaits.nobodyAnswers(reason));
    const longWaits = new LongWaits({ link, publisher, requests, log, server: this.server });
    this.#entries = entries;
    this.#line = line;
    this.#requests = requests;
    this.crons = new Crons(requests, vault);
    this.#taskParts = {
      ...{ requests, vault },
      writer: new RunWriter({ link, publisher, subjects, vault, parent: parts.parent }),
      results: new Results({ link, subjects, entries, vault, line, longWaits, stream: parts.store?.runs }),
      cancels: new Cancels(requests),
      reader: new RunReader(requests, entries, vault),
      journals: new JournalStore(link, subjects, { publisher }),
      transcripts: new Transcripts(link, subjects),
      signals: new SignalSender({ requests, store, publisher, subjects, maxPayload: () => link.maxPayload }),
      around: aroundEnqueue(parts.middleware),
      enqueue: ({ name, plain }, input, options) => this.#reference({ name, plain }).enqueue(input, options),
    };
  }

  /** The namespace whose tasks and runs this client sees. */
  get namespace(): string {
    return this.#parts.subjects.namespace;
  }

  /** Where its server is, for people: `NATS at nats://127.0.0.1:4222`, `embedded NATS in .natchet (…)`. */
  get server(): string {
    return this.#parts.server ?? this.#parts.link.url;
  }

  /**
   * The tasks of a worker class, by method, typed by their signatures.
   *
   * With the type only (`tasks<EmailWorker>()`) a task must have its method's name; with the class, any name is found and inputs are
   * checked by the task's schema before they are sent.
   */
  tasks<W extends object>(cls?: WorkerClass<W>): ClassTasks<W> {
    const make = (shape: TaskShape) => this.#reference({ ...shape, givesWireOutput: true });
    const references = cls === undefined ? tasksByName(make) : tasksOf(cls, this.#parts.describe(cls), make);
    return references as ClassTasks<W>;
  }

  /** A task by its contract, or by its name with types that the caller declares. */
  task<I extends AnySchema, O extends AnySchema>(
    contract: Contract<I, O>,
  ): TaskReference<ArgsOf<InputOf<I>>, OutputOf<O>>;
  /** A task by its contract, or by its name with types that the caller declares. */
  task<Input = unknown, Output = unknown>(name: string): TaskReference<ArgsOf<Input>, Output>;
  /** A task by its contract, or by its name with types that the caller declares. */
  task(task: string | Contract): TaskReference<[input?: unknown], unknown> {
    if (typeof task === "string") return this.#reference({ name: assertName("task", task, "task") });
    const shape = {
      name: task.name,
      input: toStandard(task.input, `task "${task.name}": input`),
      output: toStandard(task.output, `task "${task.name}": output`),
      plain: task.plain,
    };
    return this.#reference(shape);
  }

  #reference(shape: TaskShape): TaskReference<[input?: unknown], unknown> {
    return new TaskReference<[input?: unknown], unknown>(shape, this.#taskParts);
  }

  /** A handle on any run. Whether the run exists shows when you use it. */
  get<Output = unknown>(task: string, id: string): RunHandle<Output> {
    const parts = { ...this.#taskParts, readOutput: (output: unknown) => output };
    return new RunHandle<Output>(assertName("task", task, "get"), assertRunId(id, "get"), undefined, parts);
  }

  /**
   * The newest matching runs, and how many match in total. Pass the `cursor` of a list to get the next page: no run is lost or
   * repeated, even if runs are created in the meantime.
   *
   * Fails: EngineUnreachable, TypeError for a cursor that no list returned
   * @default limit: 100, errors: false
   * @example
   * ```ts
   * const next = await natchet.list(filter, { cursor: list.cursor })
   * ```
   */
  async list(filter: RunFilter = {}, options: ListOptions = {}): Promise<RunList> {
    assertFilter(filter, "list");
    const list = await readList({ requests: this.#requests, entries: this.#entries }, filter, options);
    return { ...list, runs: await Promise.all(list.runs.map((run) => openRun(this.#parts.vault, run))) };
  }

  /**
   * Cancels every unfinished run that matches. Resolves with the keys: `cancelled` have ended, `stopping` are executing and told to stop.
   *
   * Fails: EngineUnreachable, TypeError for a filter that matches all runs
   */
  async cancel(filter: RunFilter, reason = "cancelled by a caller", options: CancelOptions = {}): Promise<CancelReply> {
    assertFilter(filter, "cancel");
    assertNotEmpty(filter, "cancel: an empty filter would cancel every run");
    const { kill, ...patience } = options;
    return this.#taskParts.cancels.all({ filter, reason, ...(kill === true && { kill }) }, patience);
  }

  /**
   * Stops giving new runs to a task, to workers (by name or id), or, without a target, to everybody. Running ones continue.
   * Resolves with all pauses once this one is stored. It lasts until `resume`, whatever restarts; time spent paused does not count
   * towards `scheduleTimeout`.
   *
   * Fails: EngineUnreachable, TypeError for a target that is not a name
   * @example
   * ```ts
   * await natchet.pause({ task: "send-email" })
   * ```
   */
  async pause(target: PauseTarget = {}, patience?: Patience): Promise<Pauses> {
    return this.#setPause(target, true, patience);
  }

  /** Ends a pause; a target that is not paused stays as it is. Fails: EngineUnreachable, TypeError */
  async resume(target: PauseTarget = {}, patience?: Patience): Promise<Pauses> {
    return this.#setPause(target, false, patience);
  }

  async #setPause(given: PauseTarget, paused: boolean, patience: Patience | undefined): Promise<Pauses> {
    const target = pauseTarget(given, paused ? "pause" : "resume");
    const isAll = target.task === undefined && target.worker === undefined;
    const request = { ...target, ...(isAll && { namespace: true }), paused };
    return this.#requests.ask("pause", request, deadlineOf(patience));
  }

  /**
   * Replays the runs that match, by default those that failed; see {@link RunHandle.replay}. At most the newest `limit` of them.
   *
   * Resolves with the new runs. When it rejects, some may have been stored.
   *
   * Fails: EngineUnreachable, TypeError for a filter that matches all runs, and for states of runs that have not ended
   * @default state: ["failed"], limit: 1_000
   * @example
   * ```ts
   * await natchet.replay({ task: "send-email", metadata: { customer: "42" } })
   * ```
   */
  async replay(filter: RunFilter, options: { readonly limit?: number } = {}): Promise<RunHandle[]> {
    assertFilter(filter, "replay");
    assertKnownOptions(options, { options: ["limit"], of: "replay" });
    const { runs } = await this.list(endedOnly(filter), { limit: options.limit ?? 1_000 });
    const replayed: RunHandle[] = [];
    for (let from = 0; from < runs.length; from += replaysAtOnce) {
      const part = runs.slice(from, from + replaysAtOnce).map(({ task, id }) => this.get(task, id).replay());
      replayed.push(...(await Promise.all(part)));
    }
    return replayed;
  }

  /** The registered workers and what they are doing. Fails: EngineUnreachable */
  workers(patience?: Patience): Promise<readonly WorkerInfo[]> {
    return this.#requests.workers(deadlineOf(patience));
  }

  /** The queue of each task: how many runs are waiting, and how many workers have the task. Fails: EngineUnreachable */
  queues(patience?: Patience): Promise<readonly QueueInfo[]> {
    return this.#requests.all("queues", (page) => page.queues, deadlineOf(patience));
  }

  /** Closes the connection. Pending waits are rejected; runs continue. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#taskParts.writer.close();
    this.#taskParts.results.close();
    this.#line.close();
    await this.#parts.release();
  }
}

const replaysAtOnce = 64;

/** The filter with states of finished runs; `failed` if it names none. Fails: TypeError */
function endedOnly(filter: RunFilter): RunFilter {
  assertNotEmpty(filter, "replay: an empty filter would run everything again");
  const { state = ["failed"] } = filter;
  const live = state.find((one) => !isFinished(one));
  if (live === undefined) return { ...filter, state };
  throw new TypeError(`replay: a run that is ${live} has not ended; use completed, failed or cancelled`);
}
