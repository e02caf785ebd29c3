// A log reader follows a stream from a sequence on, forever, by a push consumer without acknowledgements in the server's memory. After a gap,
// a reconnect or a silence the consumer is created again from the last message seen, so that nothing that happens to a server stops the fold.
import { createInbox, type Msg } from "@nats-io/transport-node";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { randomToken } from "../domain/random-token.ts";
import { deliveryOf } from "./ack-subject.ts";
import type { NatsLink } from "./link.ts";
import { listen } from "./listen.ts";
import { askOnce, type StreamInfo } from "./stream-api.ts";

export interface LogListener {
  /**
   * Called in the order of the log with each message once, as long as the server keeps what it has acknowledged.
   * Units: `at`, when the server stored it, epoch milliseconds
   */
  onMessage(seq: number, subject: string, data: Uint8Array, at: number): void;
  /** Everything that was stored when the reader started, or started again, has been handed over. */
  onCaughtUp?(): void;
  /**
   * The log is no longer what was read: it was restored from a backup, has lost its newest entries, or was recreated. A listener with this method
   * rewinds or closes the reader; without it, the reader goes on with what is new.
   */
  onLost?(reason: string): void;
  /** Why the reader starts again, or what a listener has thrown. The reader goes on by itself. */
  onTrouble?(reason: string): void;
}

export interface LogReader {
  /** The newest sequence delivered. */
  readonly position: number;
  /** Starts again with the first entry that is left, also if paused. */
  rewind(): void;
  /** Stops reading for now; what was on its way is read again later. */
  pause(): void;
  /** Continues after {@link position}. */
  resume(): void;
}

/** A reader that somebody must close. */
export interface ClosableLogReader extends LogReader {
  close(): void;
}

const idleHeartbeatMs = 1_000;
const silentAfterMs = 3_500;
const answerWithinMs = 3_000;
const retryMs = 250;

export const readLog = (
  link: NatsLink,
  stream: string,
  fromSeq: number,
  listener: LogListener,
): Effect.Effect<LogReader, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => followLog(link, stream, fromSeq, listener)),
    (reader) => Effect.sync(() => reader.close()),
  );

/** Like {@link readLog}, but without a scope. `filter`: only messages of this subject. Waits for a stream that does not exist yet. */
export const followLog = (
  link: NatsLink,
  stream: string,
  fromSeq: number,
  listener: LogListener,
  filter?: string,
): ClosableLogReader => new FollowingReader(link, stream, fromSeq, listener, filter);

class FollowingReader implements ClosableLogReader {
  position: number;
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #listener: LogListener;
  readonly #filter: string | undefined;
  #stopListening: (() => void) | undefined;
  #consumer = "";
  /** The number of this consumer's last delivery. A jump means that messages were lost. */
  #delivered = 0;
  /** On the clock of `performance.now`. */
  #lastHeardAt = 0;
  /** The message delivered last, so that another one in its place is noticed. */
  #lastSubject = "";
  #lastAt = 0;
  /** When the stream was created. */
  #created = "";
  #isCaughtUp = false;
  #isClosed = false;
  #isPaused = false;
  /** Grows with every restart, so that late answers to an earlier one are ignored. */
  #generation = 0;
  readonly #end: () => void;

  constructor(link: NatsLink, stream: string, fromSeq: number, listener: LogListener, filter: string | undefined) {
    this.#link = link;
    this.#stream = stream;
    this.#listener = listener;
    this.#filter = filter;
    this.position = fromSeq - 1;
    const stopListening = link.onReconnect(() => this.#restart());
    const timer = setInterval(() => this.#watchSilence(), 1_000);
    this.#end = () => {
      clearInterval(timer);
      stopListening();
    };
    this.#restart();
  }

  close(): void {
    this.#isClosed = true;
    this.#generation += 1;
    this.#end();
    this.#drop();
  }

  #drop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    if (this.#consumer !== "" && this.#link.isConnected()) {
      this.#link.nc.publish(`$JS.API.CONSUMER.DELETE.${this.#stream}.${this.#consumer}`);
    }
    this.#consumer = "";
  }

  rewind(): void {
    this.position = 0;
    this.#isPaused = false;
    this.#restart();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#generation += 1;
    this.#drop();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#restart();
  }

  #restart(): void {
    if (this.#isClosed || this.#isPaused) return;
    this.#drop();
    const generation = ++this.#generation;
    this.#lastHeardAt = performance.now();
    this.#delivered = 0;
    this.#isCaughtUp = false;
    if (!this.#link.isConnected()) return; // the reconnect restarts it
    this.#start(generation).catch((error: Error) => {
      if (generation !== this.#generation || this.#isClosed) return;
      this.#listener.onTrouble?.(error.message);
      setTimeout(() => generation === this.#generation && this.#restart(), retryMs);
    });
  }

  async #start(generation: number): Promise<void> {
    const { nc, inboxPrefix } = this.#link;
    const inbox = createInbox(inboxPrefix);
    const consumer = `log${randomToken(16)}`;
    this.#stopListening = listen(this.#link, inbox, (message) => {
      if (generation === this.#generation) this.#receiveSafely(message);
    });
    await this.#assertNotRewound(generation);
    if (generation !== this.#generation) return;
    const request = {
      stream_name: this.#stream,
      action: "create",
      config: {
        name: consumer,
        deliver_subject: inbox,
        ack_policy: "none",
        deliver_policy: "by_start_sequence",
        opt_start_seq: this.#lastSubject === "" ? this.position + 1 : Math.max(this.position, 1),
        ...(this.#filter !== undefined && { filter_subject: this.#filter }),
        replay_policy: "instant",
        flow_control: true,
        idle_heartbeat: idleHeartbeatMs * 1_000_000,
        inactive_threshold: 30_000_000_000,
        mem_storage: true,
        num_replicas: 1,
        max_deliver: 1,
      },
    };
    const filter = this.#filter === undefined ? "" : `.${this.#filter}`;
    const create = `CONSUMER.CREATE.${this.#stream}.${consumer}${filter}`;
    const answer = await askOnce<{ num_pending: number }>(nc, create, request, answerWithinMs);
    if (generation !== this.#generation) {
      if (!this.#isClosed) nc.publish(`$JS.API.CONSUMER.DELETE.${this.#stream}.${consumer}`);
      return;
    }
    this.#consumer = consumer;
    if (answer.num_pending === 0 && this.#delivered === 0) this.#caughtUp();
  }

  /** Notices a server that came back without its newest messages (a power cut, a restored backup), and so will use their sequences again. */
  async #assertNotRewound(generation: number): Promise<void> {
    const info = `STREAM.INFO.${this.#stream}`;
    const { state, created } = await askOnce<StreamInfo>(this.#link.nc, info, undefined, answerWithinMs);
    if (generation !== this.#generation) return;
    const isAnother = this.#created !== "" && created !== this.#created;
    this.#created = created;
    if (isAnother) this.#lost(`it was recreated; ${this.position} had been read`, 0);
    else if (state.last_seq < this.position)
      this.#lost(`it ends at ${state.last_seq}, but ${this.position} had been read: entries are lost`, state.last_seq);
  }

  #lost(reason: string, goOnAfter: number): void {
    this.#listener.onTrouble?.(`the log has been replaced: ${reason}`);
    this.position = goOnAfter;
    this.#lastSubject = "";
    this.#listener.onLost?.(reason);
  }

  /** A listener that throws must not keep this from handling the next message. */
  #receiveSafely(message: Msg): void {
    try {
      this.#receive(message);
    } catch (error) {
      this.#listener.onTrouble?.(`a listener failed at ${this.position}: ${String(error)}`);
    }
  }

  #receive(message: Msg): void {
    this.#lastHeardAt = performance.now();
    // Control messages are empty. Looking at the headers of every message would cost more than the rest of reading it.
    const { data } = message;
    if (data.length === 0 && message.headers?.code === 100) {
      this.#control(message);
      return;
    }
    const { seq, delivered, pending, at } = deliveryOf(message.reply!);
    if (delivered !== this.#delivered + 1) {
      this.#listener.onTrouble?.(`delivery ${delivered} after ${this.#delivered}`);
      this.#restart();
      return;
    }
    this.#delivered = delivered;
    const generation = this.#generation;
    if (seq === this.position) this.#compare(seq, message.subject, at);
    if (seq > this.position && generation === this.#generation) {
      this.position = seq;
      this.#lastSubject = message.subject;
      this.#lastAt = at;
      try {
        this.#listener.onMessage(seq, message.subject, data, at);
      } finally {
        if (pending === 0 && generation === this.#generation) this.#caughtUp();
      }
    } else if (pending === 0 && generation === this.#generation) this.#caughtUp();
  }

  /** A reader that starts again begins with the message it has read last, to compare it: a log may have lost entries and grown again since. */
  #compare(seq: number, subject: string, at: number): void {
    if (this.#lastSubject === "" || (subject === this.#lastSubject && at === this.#lastAt)) return;
    this.#lost(`another entry stands at ${seq} now: entries are lost`, seq - 1);
  }

  /** Flow control wants an answer. A heartbeat names the last delivery, so that the loss of the newest messages is noticed too. */
  #control(message: Msg): void {
    if (message.reply) {
      message.respond();
      return;
    }
    const stalled = message.headers!.get("Nats-Consumer-Stalled");
    if (stalled) this.#link.nc.publish(stalled);
    const last = Number(message.headers!.get("Nats-Last-Consumer") || 0);
    if (last > this.#delivered) {
      this.#listener.onTrouble?.(`delivery ${last} announced after ${this.#delivered}`);
      this.#restart();
    }
  }

  #caughtUp(): void {
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    this.#listener.onCaughtUp?.();
  }

  #watchSilence(): void {
    if (this.#isPaused || !this.#link.isConnected() || performance.now() - this.#lastHeardAt < silentAfterMs) return;
    this.#listener.onTrouble?.(`nothing heard for ${silentAfterMs} ms`);
    this.#restart();
  }
}
