// Long waits: callers are told why they wait, by one line and one request for each task, however many are waiting (ADR 31).
import { formatDuration } from "../../domain/duration.ts";
import { EngineUnreachable } from "../../domain/errors.ts";
import { nearest } from "../../domain/known-options.ts";
import type { Log } from "../../domain/log.ts";
import { listed } from "../../domain/names.ts";
import { type RunInfo, taskOf } from "../../domain/run.ts";
import { inLocalTime } from "../../domain/time.ts";
import type { NatsLink } from "../../nats/link.ts";
import type { Publisher } from "../../nats/publisher.ts";
import type { EngineRequests } from "../asking/engine-requests.ts";
import { longMs } from "../asking/patience.ts";

/** A run that somebody waits for. */
export interface LongWait {
  readonly key: string;
  /** On the clock of `performance.now`. */
  readonly startedAt: number;
  /** Its callers were told. Written by {@link LongWaits} only. */
  isTold: boolean;
}

export interface LongWaitsParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly requests: Pick<EngineRequests, "ask" | "workers">;
  /** Where the server is, for people. */
  readonly server: string;
  readonly log: Log;
}

/** After this time a new wait is reported again. Units: milliseconds */
const againMs = 60_000;
/** At most this many tasks are asked about at a time; the others follow with the next check. */
const mostTasks = 10;
/** These two are told once for all tasks. With the space, neither is the name of a task. */
const nobodyLeads = " nobody leads";
const nothingStored = " nothing is stored";
/** How long it may take to find out why a run waits. Units: milliseconds */
const askMs = 2_000;

export class LongWaits {
  readonly #parts: LongWaitsParts;
  /** By task, or by what concerns all tasks: when it was last told. */
  readonly #toldAt = new Map<string, number>();
  #isAsking = false;
  /** How many appends were answered when this last looked; -1 if none was pending. */
  #answered = -1;
  #stuckAt = 0;

  constructor(parts: LongWaitsParts) {
    this.#parts = parts;
  }

  /** Looks at some of the waits for outputs. Most are too recent to be told about. */
  look(waits: Iterable<LongWait>): void {
    const now = performance.now();
    const { link } = this.#parts;
    if (this.#isAsking || !link.isConnected()) return; // the lost connection was reported
    const waiting = new Map<string, LongWait>();
    for (const wait of waits) {
      if (wait.isTold || now - wait.startedAt < longMs) continue;
      const task = taskOf(wait.key);
      if (this.#wasTold(task, now)) wait.isTold = true;
      else if (waiting.size < mostTasks && !waiting.has(task)) waiting.set(task, wait);
    }
    if (waiting.size > 0) void this.#tellAll([...waiting.values()]);
  }

  /** An engine was asked for something and has not answered. */
  nobodyAnswers(reason: string): void {
    const { link, server } = this.#parts;
    if (!link.isConnected() || this.#wasTold(nobodyLeads, performance.now())) return;
    const place = `namespace "${link.namespace}" on ${server}`;
    this.#warn(nobodyLeads, `waiting: no worker or engine is running in ${place}; ${howToWork}`, { reason });
  }

  async #tellAll(waits: readonly LongWait[]): Promise<void> {
    this.#isAsking = true;
    try {
      for (const wait of waits) await this.#tell(wait);
    } catch (error) {
      this.nobodyAnswers(error instanceof EngineUnreachable ? error.reason : (error as Error).message);
    } finally {
      this.#isAsking = false;
    }
  }

  async #tell(wait: LongWait): Promise<void> {
    const { run } = await this.#parts.requests.ask("get", { key: wait.key }, performance.now() + askMs);
    if (run?.waiting === undefined || run.state !== "queued") return; // it runs, or its time has not come
    const task = taskOf(wait.key);
    const why = run.waiting.for === "a worker" ? await this.#whyNoWorker(task, run) : run.waiting.because;
    wait.isTold = true;
    this.#warn(task, `run ${wait.key} is waiting: ${inLocalTime(why)}`);
  }

  async #whyNoWorker(task: string, { waiting }: RunInfo): Promise<string> {
    const { requests, link, server } = this.#parts;
    const workers = await requests.workers(performance.now() + askMs);
    const tasks = [...new Set(workers.flatMap((worker) => worker.tasks))].sort();
    if (tasks.includes(task)) return waiting!.because;
    const meant = nearest(task, tasks);
    const question = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
    const there = tasks.length === 0 ? "no worker is connected" : `there are ${listed(tasks)}`;
    return `no worker has the task "${task}"${question}; ${there}, in namespace "${link.namespace}" on ${server}`;
  }

  /** Looks at the runs that are to be stored: if no append was answered for long, the same thing holds up all of them. */
  lookAtAppends(now: number): void {
    const { publisher, link, server } = this.#parts;
    if (publisher.pending === 0 || publisher.answered !== this.#answered) {
      this.#answered = publisher.pending === 0 ? -1 : publisher.answered;
      this.#stuckAt = now;
      return;
    }
    if (now - this.#stuckAt < longMs || this.#wasTold(nothingStored, now)) return;
    const why = link.isConnected() ? "JetStream does not answer" : "not connected to NATS";
    const waited = formatDuration(Math.floor((now - this.#stuckAt) / 1_000) * 1_000);
    const text = `runs have been waiting for ${waited} to be stored: ${why}; they are stored as soon as it answers`;
    this.#warn(nothingStored, text, { server, runs: publisher.pending });
  }

  #warn(about: string, text: string, fields?: Record<string, unknown>): void {
    this.#toldAt.set(about, performance.now());
    this.#parts.log.warn(text, fields);
  }

  #wasTold(what: string, now: number): boolean {
    return now - (this.#toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < againMs;
  }
}

const howToWork =
  'start a worker there ("natchet dev"), or connect to the server that your workers use (NATS_URL, NATCHET_DIRECTORY)';
