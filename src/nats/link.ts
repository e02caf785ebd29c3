// nats/: how natchet uses the server.
// A link: a connection to a server that was checked, and what happens to it.
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { PermissionDenied } from "../domain/errors.ts";
import { shownAddress } from "./address.ts";
import { guardSubscriptions } from "./guarded-subscribe.ts";
import type { NatsOptions } from "./options.ts";
import { ServerClock } from "./server-clock.ts";

export type { Msg, Subscription } from "@nats-io/transport-node";
export type { NatsOptions } from "./options.ts";

export interface NatsLink {
  readonly nc: NatsConnection;
  /** The server's address, without a password. */
  readonly url: string;
  readonly namespace: string;
  /** The prefix of all inboxes of this process. */
  readonly inboxPrefix: string;
  /** Bytes of the largest message that the server accepts. */
  readonly maxPayload: number;
  readonly version: string;
  /** Goes by the server's clock once `keepServerTime` was called; by the machine's until then. */
  readonly clock: ServerClock;
  /** Resolves when the connection is closed for good: by its scope, never by an outage. */
  readonly closed: Promise<void>;
  isConnected(): boolean;
  /** How long the server has been refusing this user's login; undefined if it does not, or is away. Units: milliseconds */
  loginRefusedMs(): number | undefined;
  /** Calls back after every reconnect; returns a function that stops it. */
  onReconnect(listener: () => void): () => void;
  onDisconnect(listener: () => void): () => void;
  /** Calls back when the server refuses a publish or a subscription for lack of permission. */
  onDenied(listener: (denial: Denial) => void): () => void;
}

export interface Denial {
  readonly operation: "publish" | "subscription";
  readonly subject: string;
  readonly error: PermissionDenied;
}

/** How long a connection that is known to be dead may take to close by itself. Units: milliseconds */
const staleGraceMs = 500;

export function makeLink(nc: NatsConnection, options: NatsOptions): NatsLink {
  guardSubscriptions(nc, options.onFault ?? reportFault);
  const reconnected = new Set<() => void>();
  const disconnected = new Set<() => void>();
  const denied = new Set<(denial: Denial) => void>();
  const login = new Login(options.onLoginRefused ?? (() => {}));
  let isConnected = true;
  let info = nc.info; // the client forgets it while it reconnects
  const watch = async () => {
    for await (const status of nc.status()) {
      if (status.type === "disconnect") {
        isConnected = false;
        notify(disconnected, undefined);
      } else if (status.type === "reconnect") {
        isConnected = true;
        info = nc.info ?? info;
        login.accepted();
        notify(reconnected, undefined);
      } else if (status.type === "staleConnection") {
        setTimeout(() => isConnected && !nc.isClosed() && breakSocket(nc), staleGraceMs);
      } else if (status.type === "error") {
        if (isLoginRefusal(status.error)) login.refused(status.error.message);
        const denial = denialOf(status.error);
        if (denial !== undefined) notify(denied, denial);
      }
    }
  };
  void watch();
  const clock = new ServerClock();
  const closed = nc.closed().then(() => clock.close());
  return {
    nc,
    clock,
    url: shownAddress(options.url),
    namespace: options.namespace,
    inboxPrefix: options.inboxPrefix ?? "_INBOX",
    get maxPayload() {
      return nc.info?.max_payload ?? info?.max_payload ?? 1_048_576;
    },
    get version() {
      return nc.info?.version ?? info?.version ?? "unknown";
    },
    closed,
    isConnected: () => isConnected && !nc.isClosed(),
    loginRefusedMs: () => login.refusedMs(),
    onReconnect: (listener) => add(reconnected, listener),
    onDisconnect: (listener) => add(disconnected, listener),
    onDenied: (listener) => add(denied, listener),
  };
}

const sayAgainMs = 30_000;
/** A refusal older than this says nothing: the server may be away since. Reconnects are tried twice a second. Units: milliseconds */
const staleRefusalMs = 15_000;

class Login {
  readonly #tell: (reason: string) => void;
  #since: number | undefined;
  #lastAt = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(tell: (reason: string) => void) {
    this.#tell = tell;
  }

  refused(reason: string): void {
    this.#lastAt = performance.now();
    this.#since ??= this.#lastAt;
    if (this.#lastAt - this.#toldAt < sayAgainMs) return;
    this.#toldAt = this.#lastAt;
    this.#tell(reason);
  }

  accepted(): void {
    this.#since = undefined;
    this.#toldAt = Number.NEGATIVE_INFINITY;
  }

  refusedMs(): number | undefined {
    const now = performance.now();
    return this.#since === undefined || now - this.#lastAt > staleRefusalMs ? undefined : now - this.#since;
  }
}

const isLoginRefusal = (error: unknown): error is Error =>
  error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;

/**
 * Destroys the socket of a connection. Before the client gives up a dead one, it waits until the last bytes are written. If the peer has vanished
 * silently and the socket's buffer is full, that takes as long as TCP keeps trying, which is many minutes.
 */
export function breakSocket(nc: NatsConnection): void {
  const { protocol } = nc as unknown as { protocol?: { transport?: { socket?: { destroy(): void } } } };
  protocol?.transport?.socket?.destroy();
}

/** A callback has thrown: that is a bug, and must be seen. */
const reportFault = (subject: string, error: unknown): void =>
  console.error(`natchet: a message on ${subject} could not be handled:`, error);

function denialOf(error: unknown): Denial | undefined {
  if (!(error instanceof errors.PermissionViolationError)) return undefined;
  const { operation, subject } = error;
  const reason = `this user may not ${operation === "publish" ? "publish to" : "subscribe to"} it`;
  return { operation, subject, error: new PermissionDenied({ subject, reason }) };
}

function add<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls all listeners. One that throws is a bug that must be seen, but the others are still called. */
function notify<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
