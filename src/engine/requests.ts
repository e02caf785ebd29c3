// What workers and clients ask the leader on core subjects. Every request is answered, a malformed one with its error.
import type { CronInfo, CronRule } from "../domain/cron.ts";
import type { Log } from "../domain/log.ts";
import { changePauses, type Pauses } from "../domain/pauses.ts";
import type { Definitions } from "../nats/definitions.ts";
import type { Msg, NatsLink, Subscription } from "../nats/link.ts";
import {
  type CancelReply,
  type CancelRuns,
  type ChangeCron,
  type ChangePause,
  decodeAskResults,
  decodeCancelRuns,
  decodeChangeCron,
  decodeChangePause,
  decodeGetRun,
  decodeHeartbeat,
  decodeLeave,
  decodeListRuns,
  decodeRegister,
  decodeReschedule,
  encodeMessage,
  errorReply,
  type HeartbeatReply,
  type Register,
  type Registered,
  type Reschedule,
  type RescheduleReply,
} from "../protocol/messages.ts";
import type { EngineVerb, Subjects } from "../protocol/subjects.ts";
import { atMost } from "../runtime/at-most.ts";
import { describeQueues, describeWorkers, liveKeys } from "../scheduler/describe.ts";
import type { Core } from "./core.ts";
import type { Crons } from "./crons.ts";
import { storeDeclaredTask } from "./declared-tasks.ts";
import { listInfos, readRun } from "./queries.ts";

export interface RequestsParts {
  readonly engine: string;
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly core: Core;
  readonly definitions: Definitions;
  readonly crons: Crons;
  readonly log: Log;
}

export class Requests {
  readonly #parts: RequestsParts;
  #subscriptions: Subscription[] = [];
  /** The list of workers that the next leader must wait for, as it was stored last. */
  #knownWorkers = "";

  constructor(parts: RequestsParts) {
    this.#parts = parts;
  }

  open(): void {
    this.#answer("register", (data) => this.#register(decodeRegister(data)));
    this.#answer("heartbeat", (data) => this.#heartbeat(data));
    this.#answer("leave", (data) => {
      this.#parts.core.handle({ type: "leave", id: decodeLeave(data).id });
      this.rememberWorkers();
      return {};
    });
    this.#answer("cancel", (data) => this.#cancel(decodeCancelRuns(data)));
    this.#answer("pause", (data) => this.#pause(decodeChangePause(data)));
    this.#answer("cron", (data) => this.#changeCron(decodeChangeCron(data)));
    this.#answer("crons", () => ({ crons: this.#parts.crons.list() }));
    this.#answer("reschedule", (data) => this.#reschedule(decodeReschedule(data)));
    this.#answer("result", (data) => this.#result(data));
    this.#answer("get", async (data) => {
      const { key } = decodeGetRun(data);
      return { run: await this.#foldedFirst([key], () => readRun(this.#parts.core, key)) };
    });
    this.#answer("list", async (data) => {
      const { filter, limit, before } = decodeListRuns(data);
      await this.#refresh();
      return listInfos(this.#parts.core.state, filter, limit, before);
    });
    this.#answer("workers", () => ({
      workers: describeWorkers(this.#parts.core.state),
      epoch: this.#parts.core.state.epoch,
      engine: this.#parts.engine,
    }));
    this.#answer("queues", async () => {
      await this.#refresh();
      return { queues: describeQueues(this.#parts.core.state) };
    });
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
  }

  /** Stores who is here, when that has changed; a leader after a crash waits for these to answer. */
  rememberWorkers(): void {
    const { core, definitions, log } = this.#parts;
    const ids = Array.from(core.state.workers.values(), (worker) => worker.id).sort();
    const text = ids.join();
    if (text === this.#knownWorkers) return;
    this.#knownWorkers = text;
    definitions.put("workers", ids).catch((error: Error) => {
      this.#knownWorkers = "";
      log.debug("the list of workers could not be stored", { error });
    });
  }

  #answer(verb: EngineVerb, reply: (data: Uint8Array) => unknown): void {
    const { link, subjects, log } = this.#parts;
    const respond = async (message: Msg) => {
      try {
        message.respond(encodeMessage(await reply(message.data)));
      } catch (problem) {
        log.warn("a request was refused", { verb, error: problem });
        message.respond(encodeMessage(errorReply(problem)));
      }
    };
    const subscription = link.nc.subscribe(subjects.engine(verb), {
      callback: (error, message) => {
        if (error === null) void respond(message);
      },
    });
    this.#subscriptions.push(subscription);
  }

  #register(message: Register): Registered {
    const { core, engine, log, definitions } = this.#parts;
    const isNew = core.state.workers.get(message.id)?.isRegistered !== true;
    core.handle({ type: "register", message });
    if (isNew)
      log.info("worker registered", {
        worker: message.name,
        id: message.id,
        slots: message.slots,
        tasks: message.tasks.map((task) => task.name).join(),
      });
    this.rememberWorkers();
    this.#parts.crons.declare(message);
    for (const task of isNew ? message.tasks : []) {
      storeDeclaredTask(definitions, task).catch((error: Error) =>
        log.debug("a task definition could not be stored", { task: task.name, error }),
      );
    }
    // Stops of stale turns travel on the worker's cancel subject.
    return { epoch: core.state.epoch, engine, cancel: [], clock: performance.now() };
  }

  #heartbeat(data: Uint8Array): HeartbeatReply {
    const { core } = this.#parts;
    const message = decodeHeartbeat(data);
    const known = core.state.workers.get(message.id)?.isRegistered === true;
    if (known) core.handle({ type: "heartbeat", message });
    return { epoch: core.state.epoch, known, cancel: [], clock: performance.now() };
  }

  async #cancel(request: CancelRuns): Promise<CancelReply> {
    const { core } = this.#parts;
    const keys = request.runs ?? liveKeys(core.state, request.filter ?? {});
    return this.#foldedFirst(keys, async () => {
      const live = keys.filter((key) => core.state.live.has(key));
      const finished = keys.filter((key) => core.state.finished.has(key));
      const unknown = keys.filter((key) => !core.state.live.has(key) && !core.state.finished.has(key));
      await core.handleFully({ type: "cancel", keys: live, reason: request.reason });
      return { cancelled: live, unknown, finished };
    });
  }

  async #reschedule({ runs, dueAt, delayMs }: Reschedule): Promise<RescheduleReply> {
    const { core } = this.#parts;
    return this.#foldedFirst(runs, async () => {
      const { live, finished } = core.state;
      const isRunning = (key: string) => ["running", "ending"].includes(live.get(key)?.place ?? "");
      const running = runs.filter(isRunning);
      const rescheduled = runs.filter((key) => live.has(key) && !isRunning(key));
      const ended = runs.filter((key) => finished.has(key));
      const unknown = runs.filter((key) => !live.has(key) && !finished.has(key));
      await core.handleFully({
        type: "reschedule",
        keys: rescheduled,
        dueAt: delayMs === undefined ? dueAt : core.now() + delayMs,
      });
      return { rescheduled, running, finished: ended, unknown };
    });
  }

  #changeCron(change: ChangeCron): Promise<CronInfo> {
    const { crons } = this.#parts;
    if (change.verb === "set") return crons.set(change.rule as CronRule, change.task);
    if (change.verb === "delete") return crons.delete(change.name);
    return crons.pause(change.name, change.verb === "pause");
  }

  /** Stored before it counts, so that it outlives this engine. */
  async #pause({ task, worker, paused }: ChangePause): Promise<Pauses> {
    const { core, definitions } = this.#parts;
    const pauses = changePauses(core.state.pauses, { task, worker }, paused, core.now());
    await definitions.put("pauses", pauses);
    core.handle({ type: "pauses", pauses });
    return pauses;
  }

  async #result(data: Uint8Array): Promise<{ readonly unknown: readonly string[] }> {
    const { keys, inbox } = decodeAskResults(data);
    const { core } = this.#parts;
    const notLive = keys.filter((key) => !core.state.live.has(key)); // the others are waited for anyway
    return this.#foldedFirst(notLive, () => {
      const unknown: string[] = [];
      const { state } = core;
      for (const key of keys) {
        if (state.live.has(key) || state.finished.has(key)) core.handle({ type: "waiter", key, inbox });
        else unknown.push(key);
      }
      return { unknown };
    });
  }

  /** A key that is not known may have been appended a moment ago: fold what is stored by now before saying so. */
  async #foldedFirst<T>(keys: readonly string[], answer: () => T | Promise<T>): Promise<T> {
    const { core } = this.#parts;
    const { live, finished } = core.state;
    if (keys.some((key) => !live.has(key) && !finished.has(key))) await core.catchUp();
    else if (keys.some((key) => live.has(key))) await this.#refresh();
    return answer();
  }

  /** A run may have ended a moment ago, and the log may have told a client already. A store that is slow to say so is not waited for. */
  #refresh(): Promise<unknown> {
    return atMost(
      1_000,
      this.#parts.core.catchUp().catch(() => {}),
    );
  }
}
