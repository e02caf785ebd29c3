// How the engine knows this worker: it registers, again after every outage and with every new leader, and beats in between.
import type { Log } from "../domain/log.ts";
import { randomToken } from "../domain/random-token.ts";
import type { NatsLink } from "../nats/link.ts";
import {
  decodeHeartbeatReply,
  decodePing,
  decodeRegistered,
  encodeMessage,
  errorOfReply,
  parseJson,
  type Register,
  type Stop,
  type TaskDeclaration,
} from "../wire/messages.ts";
import { encodeInParts, partLimit } from "../wire/parts.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Lifeline } from "./lifeline.ts";

export interface PresenceOptions {
  readonly id: string;
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly log: Log;
  readonly heartbeatMs: number;
  /** Told of each answer. */
  readonly lifeline: Lifeline;
  readonly tasks: readonly TaskDeclaration[];
  readonly describe: () => Omit<Register, "tasks">;
  readonly busy: () => number;
  /** How late the event loop was. */
  readonly lagMs: () => number;
  /** A heartbeat could not be sent, or was not answered. */
  readonly onUnanswered: () => void;
  readonly onStop: (stops: readonly Stop[]) => void;
}

const firstPauseMs = 100;
const tellAfterMs = 3_000;
const longestPauseMs = 2_000;
const soonMs = 100;

export class Presence {
  /** Of the leader that this worker is registered with. */
  epoch = 0;
  /** The highest epoch heard of; assignments of an older leader are refused. */
  newest = 0;
  /** Why no engine sends runs to this worker, as far as it knows; undefined while one does. */
  obstacle: string | undefined = "not registered with an engine yet";
  /** Resolves with the first registration. */
  readonly registered: Promise<void>;
  readonly #options: PresenceOptions;
  #tellRegistered!: () => void;
  #registering: Promise<void> | undefined;
  #mustRegisterAgain = false;
  #isClosed = false;
  #lastBeat: Promise<void> = Promise.resolve();
  #nextBeat: Promise<void> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  readonly #end: (() => void)[] = [];

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.registered = new Promise((resolve) => {
      this.#tellRegistered = resolve;
    });
  }

  start(): void {
    const { id, link, subjects, heartbeatMs } = this.#options;
    const ping = link.nc.subscribe(subjects.worker(id, "ping"), {
      callback: (error, message) => {
        if (error !== null) return;
        message.respond(encodeMessage({ busy: this.#options.busy() }));
        this.#meetLeader(decodePing(message.data).epoch);
      },
    });
    const announcement = link.nc.subscribe(subjects.epoch, {
      callback: (error, message) => {
        if (error === null) this.#meetLeader(decodePing(message.data).epoch);
      },
    });
    const beat = setInterval(() => void this.beat(), heartbeatMs);
    const stopListening = link.onReconnect(() => {
      this.obstacle = "registering again after a reconnect";
      this.#registerSoon();
    });
    this.#end.push(
      () => ping.unsubscribe(),
      () => announcement.unsubscribe(),
      () => clearInterval(beat),
      stopListening,
    );
    this.#registerSoon();
  }

  /**
   * A heartbeat that says what is so by now; a leader that does not know this worker makes it register again.
   *
   * One at a time: what happens while one is under way is told by the next, however often it is asked for.
   */
  beat(): Promise<void> {
    this.#nextBeat ??= this.#lastBeat.then(() => {
      this.#nextBeat = undefined;
      this.#lastBeat = this.#beatOnce();
      return this.#lastBeat;
    });
    return this.#nextBeat;
  }

  async #beatOnce(): Promise<void> {
    const { id, link } = this.#options;
    const { epoch: before } = this;
    if (before === 0) return;
    if (!link.isConnected()) return this.#options.onUnanswered();
    const { executing, quiet } = this.#options.describe();
    try {
      this.#options.log.debug("heartbeat", { id, executing: executing.length });
      const head = { id, quiet, lagMs: this.#options.lagMs() };
      const askedAt = this.#options.lifeline.now();
      const reply = await this.#tell("heartbeat", head, { executing }, 3_000);
      const { epoch, known, cancel, clock } = decodeHeartbeatReply(reply);
      if (epoch > this.newest) this.newest = epoch;
      if (known && epoch === this.epoch) this.#options.lifeline.answered(epoch, askedAt, clock);
      this.#options.onStop(cancel);
      this.obstacle = known ? undefined : "the engine does not know this worker; registering again";
      if (!known || epoch > this.epoch) this.#registerSoon();
    } catch (error) {
      this.#options.onUnanswered();
      // nobody leads just now; the next leader announces itself
      if (this.epoch === before) this.obstacle = `no engine answers: ${(error as Error).message}`;
    }
  }

  /** Returns the answer to the last part. Fails: Error with what the engine said, or that it said nothing */
  async #tell(
    verb: "heartbeat" | "register",
    head: object,
    lists: { readonly [list: string]: readonly unknown[] },
    timeout: number,
  ): Promise<Uint8Array> {
    const { link, subjects } = this.#options;
    const parts = encodeInParts(head, lists, partLimit(link.maxPayload), randomToken(9));
    const replies = await Promise.all(parts.map((part) => link.nc.request(subjects.engine(verb), part, { timeout })));
    for (const reply of replies) {
      const error = errorOfReply(parseJson(reply.data, `${verb} reply`));
      if (error !== undefined) throw new Error(error.message);
    }
    return replies.at(-1)!.data;
  }

  /** A heartbeat for what has begun by now; runs that are over before it need none. */
  beatSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      if (this.#options.busy() > 0) void this.beat();
    }, soonMs);
  }

  /** Says good-bye, so that nobody waits for heartbeats that will not come. */
  async leave(): Promise<void> {
    const { id, link, subjects } = this.#options;
    if (!link.isConnected()) return;
    await link.nc.request(subjects.engine("leave"), encodeMessage({ id }), { timeout: 1_000 }).catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#soon);
    for (const end of this.#end) end();
  }

  #meetLeader(epoch: number): void {
    if (epoch > this.newest) this.newest = epoch;
    if (epoch > this.epoch) this.#registerSoon();
  }

  /** Registers again; resolves when an engine knows what is described now, or the worker is closed. */
  announce(): Promise<void> {
    this.#mustRegisterAgain = true;
    this.#registering ??= this.#registerUntilKnown().finally(() => {
      this.#registering = undefined;
    });
    return this.#registering;
  }

  #registerSoon(): void {
    void this.announce();
  }

  async #registerUntilKnown(): Promise<void> {
    let pauseMs = firstPauseMs;
    const begunAt = performance.now();
    let hasToldWaiting = false;
    while (this.#mustRegisterAgain && !this.#isClosed) {
      this.#mustRegisterAgain = false;
      const problem = await this.#register();
      if (problem === undefined) continue;
      if (!hasToldWaiting && performance.now() - begunAt > tellAfterMs) {
        hasToldWaiting = true;
        this.#options.log.warn("no engine answers yet; runs wait until one leads", { reason: problem });
      }
      this.#mustRegisterAgain = true;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
    }
  }

  /** One try; returns what went wrong, if anything did. */
  async #register(): Promise<string | undefined> {
    const { log, lifeline, describe, tasks } = this.#options;
    try {
      const askedAt = lifeline.now();
      const { executing, ...head } = describe();
      const { epoch: before, newest: heard } = this;
      const asked = before === 0 ? head : { ...head, heard };
      const reply = await this.#tell("register", asked, { tasks, executing }, 2_000);
      const { epoch, engine, cancel, clock } = decodeRegistered(reply);
      if (epoch < this.newest) return `engine ${engine} belongs to the old epoch ${epoch}`;
      if (epoch > this.epoch) log.debug("engine found", { engine, epoch });
      this.epoch = epoch;
      this.newest = epoch;
      lifeline.answered(epoch, askedAt, clock);
      this.obstacle = undefined;
      // Until this answer came it might have taken runs from an older leader.
      if (before > 0 && epoch > heard) this.#mustRegisterAgain = true;
      this.#options.onStop(cancel);
      this.#tellRegistered();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
