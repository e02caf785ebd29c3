// One life of a directory's server, as one process sees it: started by it, or by another process and attached to.
import { EmbeddedServerFailed, ServerNotRunning } from "../domain/errors.ts";
import { findServerBinary, type ServerBinary } from "./binary.ts";
import type { Home } from "./home.ts";
import { type LaunchedServer, launchServer } from "./launch.ts";
import { type ServerWatch, watchServer } from "./server-watch.ts";

/** What the embedded server says about itself. */
export interface EmbeddedLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface EmbeddedOptions {
  /** Holds store, lock and log. @default ".natchet" */
  readonly directory?: string | undefined;
  readonly log?: EmbeddedLog | undefined;
  /** Whether the server may be started if it is not running; otherwise it is only attached to. @default true */
  readonly mayStart?: boolean | undefined;
  /** Finds the program; asked only when this process has to start the server. @default findServerBinary */
  readonly binary?: ((signal: AbortSignal) => Promise<ServerBinary>) | undefined;
}

/** A server in use by this process. */
export interface EmbeddedServer {
  readonly url: string;
  /** Whether this process started it, so that it ends with this process. */
  readonly isOwner: boolean;
  /** Releases the server: its owner stops it, anybody else only detaches. */
  stop(): Promise<void>;
}

/** One life of the server as this process sees it. */
export interface Incarnation extends EmbeddedServer {
  /** Resolves when the server can no longer be reached. */
  readonly gone: Promise<void>;
}

const patienceMs = 60_000;
const retryMs = 50;

/** Attaches to the directory's server or starts it, whichever works first. */
export async function openIncarnation(home: Home, options: EmbeddedOptions, signal: AbortSignal): Promise<Incarnation> {
  if (process.platform === "win32")
    throw new EmbeddedServerFailed({ reason: "it needs a POSIX system; set NATS_URL to a running server" });
  let binary: ServerBinary | undefined;
  for (const deadline = performance.now() + patienceMs; ; ) {
    const attached = await attach(home);
    if (attached !== undefined) return attached;
    signal.throwIfAborted();
    if (options.mayStart === false) throw new ServerNotRunning({ directory: home.directory });
    binary ??= await (options.binary ?? ((aborted) => findServerBinary({}, aborted)))(signal);
    prepare(home);
    const launch = await launchServer(home, binary, signal);
    if (launch.kind === "failed") throw new EmbeddedServerFailed({ reason: launch.reason });
    if (launch.kind === "running") {
      if (!signal.aborted) return owned(launch.server);
      await launch.server.stop();
    }
    if (performance.now() > deadline) {
      throw new EmbeddedServerFailed({
        reason: `another process holds ${home.lock} and its server has not answered for ${patienceMs / 1000} s`,
      });
    }
    await pause(retryMs, signal);
  }
}

function prepare(home: Home): void {
  try {
    home.prepare();
  } catch (error) {
    throw new EmbeddedServerFailed({
      reason: `${home.directory} cannot be written: ${error instanceof Error ? error.message : error}; set NATCHET_DIRECTORY to another directory, or NATS_URL to a running server`,
    });
  }
}

// The id tells the server of this directory from a stranger that got its port after a crash.
async function attach(home: Home): Promise<Incarnation | undefined> {
  const address = home.readAddress();
  if (address === undefined) return undefined;
  // A server started by an earlier version asks for no token; the next one will.
  const url = home.urlOf(address.port);
  const watch = await watchServer(url, 1_000, address.id);
  return watch && attached(url, watch);
}

function attached(url: string, watch: ServerWatch): Incarnation {
  return { url, isOwner: false, gone: watch.closed, stop: async () => watch.close() };
}

function owned(server: LaunchedServer): Incarnation {
  return {
    url: server.address.url,
    isOwner: true,
    gone: Promise.race([server.exited, server.watch.closed]),
    stop: server.stop,
  };
}

/** Waits; rejects at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
