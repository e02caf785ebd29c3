// requests/: what others ask of a leader: checked, answered in parts, and a question changes nothing. Every request is answered, a malformed one
// with its error.

import { Effect, type Scope } from "effect";
import type { CancelReply } from "../domain/listing.ts";
import type { Log } from "../domain/log.ts";
import { assertName, listed } from "../domain/names.ts";
import { changePauses, type Pauses } from "../domain/pauses.ts";
import { isToken } from "../domain/run-id.ts";
import type { Bucket } from "../leader/bucket.ts";
import type { Leader } from "../leader/leader.ts";
import { placeOf } from "../matching/attached.ts";
import { knownWorkers } from "../matching/known.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import { atMost } from "../runtime/at-most.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import { isSecretOf } from "../runtime/worker-identity.ts";
import { Assembly } from "../wire/parts.ts";
import { assertRegistration } from "../wire/registration.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { CancelRuns, ChangePause, EngineVerb, RequestOf, Reschedule, RescheduleReply } from "../wire/verbs.ts";
import type { Heartbeat, HeartbeatReply, Register, Registered } from "../wire/worker-messages.ts";
import { type Answering, answersTo } from "./answers.ts";
import type { CronChanges } from "./cron-changes.ts";
import { cancellationOf } from "./describe.ts";
import { Eraser } from "./eraser.ts";
import { Queries } from "./queries.ts";

/** It is stored with every run that is cancelled. */
const longestReason = 4_000;

export interface RequestsParts {
  readonly engine: string;
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly core: Leader;
  readonly bucket: Bucket;
  readonly crons: CronChanges;
  readonly log: Log;
}

export class Requests {
  readonly #parts: RequestsParts;
  readonly #queries: Queries;
  readonly #eraser: Eraser;
  readonly #registrations = new Assembly<Register>((parts) => ({
    ...parts[0]!,
    tasks: parts.flatMap(({ tasks }) => tasks),
    executing: parts.flatMap(({ executing }) => executing),
  }));
  readonly #heartbeats = new Assembly<Heartbeat>((parts) => ({
    ...parts[0]!,
    executing: parts.flatMap(({ executing }) => executing),
  }));

  constructor(parts: RequestsParts) {
    const { core, engine, link } = parts;
    this.#parts = parts;
    this.#eraser = new Eraser(parts);
    this.#queries = new Queries(core, engine, () => link.maxPayload);
  }

  /** Answers while the scope is open. */
  get open(): Effect.Effect<void, never, Scope.Scope> {
    const { core, crons } = this.#parts;
    const queries = this.#queries;
    const doors: Effect.Effect<unknown, never, Scope.Scope>[] = [];
    const term = () => core.term;
    const give = <V extends EngineVerb>(verb: V, reply: Answering<V>) =>
      doors.push(answersTo({ ...this.#parts, term }, verb, reply));
    give("register", (message) => {
      assertSecret(message.id, message.secret);
      const whole = this.#registrations.add(message);
      return whole === undefined ? this.#registered : this.#register(whole);
    });
    give("heartbeat", (message) => this.#heartbeat(message));
    give("leave", (message) => this.#leave(message));
    give("cancel", (request) => this.#cancel(request));
    give("pause", (request) => this.#pause(request));
    give("cron", (change) => crons.change(change));
    give("crons", ({ after }) => queries.crons(after));
    give("reschedule", (request) => this.#reschedule(request));
    give("result", (asked) => {
      const notLive = asked.keys.filter((key) => !core.state.live.has(key)); // the others are waited for anyway
      return this.#foldedFirst(notLive, () => queries.results(asked));
    });
    give("signal", (request) => {
      const notLive = core.state.live.has(request.key) ? [] : [request.key]; // a live one is looked at where the signal stands
      return this.#foldedFirst(notLive, () => core.signal(request));
    });
    give("erase", ({ runs }) => this.#eraser.erase(runs));
    give("get", ({ key }) => this.#foldedFirst([key], () => queries.get(key)));
    give("list", async (request) => {
      if (request.cursor === undefined) await this.#refresh();
      return queries.list(request);
    });
    give("workers", ({ after }) => queries.workers(after));
    give("queues", async ({ after }) => {
      if (after === undefined) await this.#refresh();
      return queries.queues(after);
    });
    return Effect.all(doors, { discard: true });
  }

  /** This engine leads now: finish what its predecessors had begun to erase. */
  resumeErasures(): Promise<void> {
    return this.#eraser.resume();
  }

  /** Stores which workers may be executing something: after a crash, the next leader waits for them. Once for all that register in one tick. */
  readonly rememberWorkers = onceATick(() => {
    const { core, bucket } = this.#parts;
    const { leadership } = core.state;
    if (leadership !== undefined) bucket.keepWorkers(knownWorkers(leadership.matching), core.term);
  });

  #leave({ id, secret }: RequestOf<"leave">): object {
    assertSecret(id, secret);
    this.#registrations.drop(id);
    this.#heartbeats.drop(id);
    this.#parts.core.handle({ type: "leave", id });
    this.rememberWorkers();
    return {};
  }

  #register(message: Register): Registered {
    const { core, bucket, log } = this.#parts;
    assertRegistration(message);
    const isNew = core.state.workers.get(message.id)?.isRegistered !== true;
    core.handle({ type: "register", message });
    if (isNew)
      log.debug("worker registered", {
        worker: message.name,
        id: message.id,
        slots: message.slots,
        tasks: listed(message.tasks.map((task) => task.name)),
      });
    this.rememberWorkers();
    this.#parts.crons.declare(message, core.term);
    for (const task of message.tasks) bucket.kept.keep(`task.${task.name}`, task, core.term);
    return this.#registered;
  }

  /** Stops of stale turns travel on the worker's cancel subject. */
  get #registered(): Registered {
    const { core, engine } = this.#parts;
    return { epoch: core.state.epoch, engine, cancel: [], clock: performance.now() };
  }

  #heartbeat(message: Heartbeat): HeartbeatReply {
    const { core } = this.#parts;
    assertSecret(message.id, message.secret);
    const known = core.state.workers.get(message.id)?.isRegistered === true;
    const whole = known ? this.#heartbeats.add(message) : undefined;
    if (whole !== undefined) core.handle({ type: "heartbeat", message: whole });
    return { epoch: core.state.epoch, known, cancel: [], clock: performance.now() };
  }

  /** The named ones, or the next matching ones, as many as fit into the answer. */
  async #cancel({ runs, filter, cursor, reason, kill }: CancelRuns): Promise<CancelReply> {
    if (runs === undefined && filter === undefined)
      throw new TypeError("a cancel request must name runs or filter; an empty filter is every unfinished run");
    if (runs !== undefined) return this.#foldedFirst(runs, () => this.#cancelRuns(runs, reason, kill));
    if (cursor === undefined) await this.#parts.core.catchUp();
    const { keys, next } = this.#queries.matching(filter ?? {}, cursor);
    return { ...(await this.#cancelRuns(keys, reason, kill)), ...(next !== undefined && { next }) };
  }

  async #cancelRuns(keys: readonly string[], reason: string, kill = false): Promise<CancelReply> {
    const { core } = this.#parts;
    const { live, finished, unknown } = this.#byState(keys);
    await core.handleFully({ type: "cancel", keys: live, reason: reason.slice(0, longestReason), kill });
    const cancelled: string[] = [];
    const stopping: string[] = [];
    for (const key of live) {
      const did = cancellationOf(core.state, key);
      if (did === undefined) throw new Error(`the cancellation of ${key} could not be stored; try again`);
      ({ cancelled, stopping, finished })[did].push(key);
    }
    return { cancelled, stopping, unknown, finished };
  }

  async #reschedule({ runs, dueAt, delayMs }: Reschedule): Promise<RescheduleReply> {
    const { core } = this.#parts;
    await this.#untilHeard();
    return this.#foldedFirst(runs, async () => {
      const { live, finished, unknown } = this.#byState(runs);
      const isRunning = (key: string) =>
        ["running", "waiting", "cancelling", "ending"].includes(placeOf(core.state.live.get(key)!));
      const rescheduled = live.filter((key) => !isRunning(key));
      const running = live.filter(isRunning);
      await core.handleFully({
        type: "reschedule",
        keys: rescheduled,
        dueAt: delayMs === undefined ? dueAt : core.now() + delayMs,
      });
      return { rescheduled, running, finished, unknown };
    });
  }

  #byState(keys: readonly string[]): { live: string[]; finished: string[]; unknown: string[] } {
    const { live, finished } = this.#parts.core.state;
    const stateOf = (key: string) => (live.has(key) ? "live" : finished.has(key) ? "finished" : "unknown");
    return { live: [], finished: [], unknown: [], ...Object.groupBy(keys, stateOf) };
  }

  /** After a takeover, a run that seems to wait may be executing on a worker that has not reported yet. */
  async #untilHeard(): Promise<void> {
    const { core } = this.#parts;
    while (core.state.isHolding) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Stored before it counts, so that it outlives this engine. */
  async #pause({ task, worker, namespace, paused }: ChangePause): Promise<Pauses> {
    if (task === undefined && worker === undefined && namespace !== true)
      throw new TypeError("a pause request must name task, worker or namespace: true");
    if (task !== undefined) assertName("task", task, "pause");
    if (worker !== undefined && !isToken(worker))
      throw new TypeError("pause: worker must be the name or id of a worker");
    const { core, bucket } = this.#parts;
    const pauses = changePauses(core.state.briefing.pauses, { task, worker }, paused, core.now());
    await bucket.definitions.put("pauses", pauses);
    core.handle({ type: "pauses", pauses });
    return pauses;
  }

  /** An unknown key may have been appended a moment ago: fold what is stored by now before saying so. */
  async #foldedFirst<T>(keys: readonly string[], answer: () => T | Promise<T>): Promise<T> {
    const { core } = this.#parts;
    const { live, finished } = core.state;
    if (keys.some((key) => !live.has(key) && !finished.has(key))) await core.catchUp();
    else if (keys.some((key) => live.has(key))) await this.#refresh();
    return answer();
  }

  /** A run may have ended a moment ago, and the log may have told a client already. Does not wait for a slow store. */
  #refresh(): Promise<unknown> {
    return atMost(
      1_000,
      this.#parts.core.catchUp().catch(() => {}),
    );
  }
}

/** Anybody may know a worker's id; only the worker itself knows its secret. */
function assertSecret(id: string, secret = ""): void {
  if (!isSecretOf(id, secret)) throw new Error(`the secret is not that of worker ${id.slice(0, 100)}`);
}
