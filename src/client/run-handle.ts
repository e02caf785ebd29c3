// A handle on a run, wherever it is executed: what can be asked about one run, and done with it.
import { atAwaiter } from "../domain/at-caller.ts";
import {
  EngineRefused,
  InvalidData,
  NotReplayable,
  NotReschedulable,
  ResultNotAwaited,
  RunNotFound,
} from "../domain/errors.ts";
import { assertKnownOptions } from "../domain/known-options.ts";
import type { RunTerms } from "../domain/policies.ts";
import { randomToken } from "../domain/random-token.ts";
import { type Cancellation, isFinished, keyOf, type RunInfo } from "../domain/run.ts";
import { validate } from "../domain/schema.ts";
import type { SentWith, Signal } from "../domain/signal.ts";
import type { Timeline } from "../domain/timeline.ts";
import type { LogLine, Progress, StreamChunk } from "../domain/transcript.ts";
import type { JournalStore } from "../nats/journal.ts";
import { sealSignal } from "../sealing/sealed.ts";
import type { Cancels } from "./asking/cancels.ts";
import { deadlineOf, type Patience } from "./asking/patience.ts";
import type { SignalSender } from "./asking/signal-sender.ts";
import { type CallLimits, whenGivenUp } from "./call-limit.ts";
import { askedDueAt, assertWhen, type EnqueueOptions, type When } from "./enqueue-options.ts";
import { readTimeline } from "./reading/journal-reader.ts";
import type { ReadOptions } from "./reading/read-options.ts";
import type { RunReader } from "./reading/run-reader.ts";
import { readChunks, readLines, readProgress, type TranscriptSources } from "./reading/transcript-reader.ts";
import type { Awaited } from "./results/waits.ts";

/**
 * What a handle needs from the client that made it.
 *
 * @internal
 */
export interface HandleParts extends TranscriptSources {
  readonly reader: RunReader;
  readonly cancels: Cancels;
  readonly journals: Pick<JournalStore, "read">;
  readonly signals: SignalSender;
  /** Checks and types the output by the caller's contract, if it has one; may be a promise. */
  readonly readOutput: (output: unknown) => unknown;
  readonly enqueue: (
    task: { readonly name: string; readonly plain: readonly string[] },
    input: unknown,
    options: EnqueueOptions,
  ) => Promise<{ readonly id: string; readonly created: boolean | undefined }>;
}

/** How a run is cancelled. */
export interface CancelOptions extends Patience {
  /** The run ends at once: a durable one does not clean up, and running code is stopped. */
  readonly kill?: boolean | undefined;
}

/** How a signal is sent. */
export interface SendOptions extends Patience {
  /** A signal is stored once under its id: send it again if you do not know whether it arrived. @default a generated one */
  readonly id?: string | undefined;
}

/** A run, wherever it is executed. */
export class RunHandle<Output = unknown> {
  /** Name of the task. */
  readonly task: string;
  /** Id of the run, unique within its task. */
  readonly id: string;
  /** False when the id existed already: this is the first run of that id. Undefined on a handle from a lookup. */
  readonly created: boolean | undefined;
  readonly #parts: HandleParts;

  /** @internal */
  constructor(task: string, id: string, created: boolean | undefined, parts: HandleParts) {
    this.task = task;
    this.id = id;
    this.created = created;
    this.#parts = parts;
  }

  /** `<task>/<id>`, as messages and logs name it. */
  get key(): string {
    return keyOf(this.task, this.id);
  }

  /**
   * Waits for the output, as long as it takes or as `timeout` and `signal` let it; the run itself continues.
   *
   * Fails: RunFailed, RunCancelled, RunNotFound, InvalidData, DecryptionFailed, ResultNotAwaited when it was given up or the client is closed
   */
  async result(options: CallLimits = {}): Promise<Output> {
    const { results, readOutput } = this.#parts;
    assertKnownOptions(options, { options: ["timeout", "signal"], of: "result", example: '{ timeout: "30s" }' });
    let awaited: Awaited | undefined;
    const callOff = whenGivenUp(options, "output", (reason, cause) =>
      awaited?.giveUp(new ResultNotAwaited({ key: this.key, reason, ...(cause !== undefined && { cause }) })),
    );
    awaited = results.wait(this.key);
    try {
      return (await readOutput(await awaited.output)) as Output;
    } catch (error) {
      throw atAwaiter(this.result, error);
    } finally {
      callOff();
    }
  }

  /** What is known about the run now. While no engine leads, waits for one up to `timeout`. Fails: RunNotFound, EngineUnreachable, StoreUnavailable, DecryptionFailed */
  async status(patience?: Patience): Promise<RunInfo> {
    return found(this.key, await this.#parts.reader.read(this.key, patience));
  }

  /**
   * The lines of `ctx.log`, from the first one and then live; ends when the run has ended.
   *
   * A run keeps its first 1,000 lines: a line with `dropped` stands for the others.
   *
   * Fails: RunNotFound, EngineUnreachable, ResultNotAwaited when the client is closed
   * @example
   * ```ts
   * for await (const line of run.logs()) console.log(line.level, line.message)
   * ```
   */
  logs(options: ReadOptions = {}): AsyncIterableIterator<LogLine> {
    return readLines(this.#parts, this.key, options);
  }

  /**
   * The chunks of `ctx.stream`, from the first one and then live, however late you come; ends when the run has ended.
   *
   * A retried run streams again; each chunk has its attempt.
   *
   * Fails: RunNotFound, EngineUnreachable, ResultNotAwaited when the client is closed
   * @example
   * ```ts
   * for await (const chunk of run.stream({ attempt: "newest" })) write(chunk.value)
   * ```
   */
  stream(options: ReadOptions = {}): AsyncIterableIterator<StreamChunk> {
    return readChunks(this.#parts, this.key, options);
  }

  /**
   * What a durable run has done so far, from its journal: its steps, waits and children, in the order in which its code received the
   * results. Empty for a run that is not durable, or has ended long ago.
   *
   * Fails: RunNotFound, EngineUnreachable, StoreUnavailable, PermissionDenied, DecryptionFailed
   */
  async timeline(patience?: Patience): Promise<Timeline> {
    const { origin } = await this.status(patience);
    const { journals, vault } = this.#parts;
    return readTimeline(journals, { key: this.key, origin: origin ?? 0 }, vault);
  }

  /** The latest `ctx.progress`; undefined before the first. Fails: RunNotFound, EngineUnreachable, StoreUnavailable */
  progress(): Promise<Progress | undefined> {
    return readProgress(this.#parts, this.key);
  }

  /**
   * Cancels the run; a finished one stays as it is.
   *
   * Resolves when the cancellation is stored, with what it did: `"cancelled"`, the run has ended; `"stopping"`, it is executing, its signal is
   * aborted, and it ends as cancelled unless it ends by itself first; `"finished"`, it had already ended. Only work that is done by then still
   * counts, whatever happens to the worker or the engine: `result()` says how the run ended. A durable run that has started is told at its open
   * wait, so that it can undo what it did, for as long as its `cancelTimeout`; with `kill: true` it ends at once.
   *
   * Fails: RunNotFound, EngineUnreachable
   */
  async cancel(reason = "cancelled by a caller", options: CancelOptions = {}): Promise<Cancellation> {
    const { kill, ...patience } = options;
    const { cancels } = this.#parts;
    const did = await (kill === true
      ? cancels.kill(this.key, reason, patience)
      : cancels.one(this.key, reason, patience));
    if (did === "unknown") throw new RunNotFound({ key: this.key });
    return did;
  }

  /**
   * Erases what is known about the run at once: input, output, errors, metadata, log lines and streamed chunks. A run that has not ended is cancelled,
   * and its end awaited. Only the fact that it existed is kept, so its id stays taken for as long as finished runs are kept; `result()`
   * fails with RunErased. Safe to repeat.
   *
   * Other runs with the same data are not erased: its failure handler's (`<handler>/…`), replays and children.
   *
   * Fails: RunNotFound, EngineUnreachable, EngineRefused
   * @example
   * ```ts
   * await natchet.get("send-email", "order-42").erase()
   * ```
   */
  async erase(patience?: Patience): Promise<void> {
    const { requests, cancels, results } = this.#parts;
    const did = await cancels.one(this.key, "erased", patience);
    if (did === "unknown") throw new RunNotFound({ key: this.key });
    if (did === "stopping") await results.wait(this.key).output.catch(() => {});
    const { erased } = await requests.ask("erase", { runs: [this.key] }, deadlineOf(patience));
    if (!erased.includes(this.key))
      throw new EngineRefused({ verb: "erase", reason: `${this.key} is needed by a durable run that has not ended` });
  }

  /**
   * Sends a signal to a durable run, which receives signals in the order in which they were sent. Resolves when it is
   * stored, for which no engine is needed. With an `id` it is stored once, however often it is sent, until the run has taken it.
   *
   * Only an engine knows whether the run has ended: while none runs, a signal to one that has is stored and never received.
   *
   * Fails: RunNotFound, RunFinished, InboxFull, InvalidData, PayloadTooLarge, EngineUnreachable, TypeError for a run that is not durable
   * @example
   * ```ts
   * await run.send(Approve, { ok: true }, { id: "decision-42" })
   * ```
   */
  async send<In>(signal: Signal<In, unknown>, ...[data, options = {}]: SentWith<In, SendOptions>): Promise<void> {
    assertKnownOptions(options, { options: ["id", "timeout"], of: "send", example: '{ id: "decision-42" }' });
    const { id: token = randomToken(26), ...patience } = options;
    const validation = await validate(signal.data, data);
    if ("issues" in validation)
      throw new InvalidData({ what: "input", task: `${this.task}, signal ${signal.name}`, issues: validation.issues });
    const { vault, signals } = this.#parts;
    const { key } = this;
    const { name } = signal;
    const sent = vault === undefined ? data : sealSignal(vault, key, name, data);
    await signals.send({ key, name, token, data: sent }, patience);
  }

  /**
   * Runs it again: a new run with the same input, priority, metadata, affinity and schedule timeout, whose `natchet.replayOf` names this one.
   * It starts at once, whenever this one was due, unless `options` say otherwise. This one keeps its history and its result.
   *
   * Fails: RunNotFound (finished runs are forgotten in time), NotReplayable while it has not ended, EngineUnreachable, QueueFull
   * @example
   * ```ts
   * await (await handle.replay()).result()
   * ```
   */
  async replay(options: EnqueueOptions = {}): Promise<RunHandle<Output>> {
    const { run, plain } = found(this.key, await this.#parts.reader.readWithPlain(this.key));
    const { state, input, inputIsGone, priority, metadata, terms } = run;
    if (!isFinished(state)) throw new NotReplayable({ key: this.key, state });
    if (inputIsGone === true) throw new NotReplayable({ key: this.key, state, inputIsGone });
    const { id, created } = await this.#parts.enqueue({ name: this.task, plain }, input, {
      priority,
      ...(terms !== undefined && optionsOf(terms)),
      ...options,
      metadata: { ...metadata, ...options.metadata, "natchet.replayOf": this.id },
    });
    return new RunHandle<Output>(this.task, id, created, this.#parts);
  }

  /**
   * Moves a run that is not running to another time; `{}` means now. Resolves when that is stored.
   *
   * Fails: RunNotFound, NotReschedulable when it runs or has finished, EngineUnreachable
   * @example
   * ```ts
   * await handle.reschedule({ delay: "10m" })
   * ```
   */
  async reschedule(when: When, patience?: Patience): Promise<void> {
    assertWhen(when);
    const { requests } = this.#parts;
    const request = { runs: [this.key], ...rescheduledTo(when, Date.now()) };
    const reply = await requests.ask("reschedule", request, deadlineOf(patience));
    if (reply.unknown.length > 0) throw new RunNotFound({ key: this.key });
    if (reply.running.length > 0) throw new NotReschedulable({ key: this.key, state: "running" });
    if (reply.finished.length > 0) throw new NotReschedulable({ key: this.key, state: "finished" });
  }
}

function found<T>(key: string, run: T | null): T {
  if (run === null) throw new RunNotFound({ key });
  return run;
}

/** A time that has passed by this clock may be in the future by the engine's, and vice versa. So a delay is sent as such, and counts from there. */
function rescheduledTo(when: When, now: number): { dueAt: number; delayMs?: number } {
  const asked = askedDueAt(when, now);
  if (when.at !== undefined) return { dueAt: asked };
  return { dueAt: Math.max(asked, now), delayMs: Math.max(asked - now, 0) };
}

function optionsOf({ affinity, scheduleTimeoutMs }: RunTerms): EnqueueOptions {
  const labels = affinity?.map(({ label, ...wish }) => [label, wish] as const);
  return {
    ...(labels && { affinity: Object.fromEntries(labels) }),
    ...(scheduleTimeoutMs !== undefined && { scheduleTimeout: scheduleTimeoutMs }),
  };
}
