// health/: /live, /ready, /metrics.
// `GET /live`, `/ready` and `/metrics`, for whoever can reach the port: by default programs on this machine, but no web page in its browser.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { type AddressInfo, isIP, type Socket } from "node:net";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { HealthPortUnavailable } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { expositionType } from "./exposition.ts";
import type { HealthSettings } from "./health-settings.ts";
import { metricsOf } from "./metrics.ts";
import { Monitor } from "./monitor.ts";
import { livenessOf, readinessOf } from "./probes.ts";

export interface HealthServer {
  readonly monitor: Monitor;
  /** For example `http://127.0.0.1:8080`. */
  readonly url: string;
}

const retryMs = 250;

/** Serves the probes while the scope is open. Fails: {@link HealthPortUnavailable} */
export const serveHealth = (
  settings: HealthSettings,
  log: Log,
): Effect.Effect<HealthServer, HealthPortUnavailable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => open(settings, log),
      catch: (error) => error as HealthPortUnavailable,
    }),
    ({ close }) => Effect.sync(close),
  );

async function open(settings: HealthSettings, log: Log): Promise<HealthServer & { close(): void }> {
  const { createServer } = await import("node:http"); // a process without health starts sooner without it
  const monitor = new Monitor();
  const isLocal = isLoopback(settings.host);
  const server = createServer((request, response) => void answer(monitor, isLocal, request, response));
  server.on("connection", (socket) => limitTime(socket, settings.longestMs ?? 10_000));
  let retry: ReturnType<typeof setTimeout> | undefined;
  const waitForPort = () => {
    retry = setTimeout(() => {
      listen(server, settings).then(
        () => log.info("the health port is free now; listening", { url: urlOf(server, settings) }),
        waitForPort,
      );
    }, retryMs);
  };
  try {
    await listen(server, settings);
    log.info("health", { url: urlOf(server, settings) });
  } catch (error) {
    if (settings.whenTaken === "fail" || !isTaken(error)) throw unavailable(error, settings);
    waitForPort();
  }
  const close = () => {
    clearTimeout(retry);
    server.close();
    server.closeAllConnections();
  };
  return { monitor, url: urlOf(server, settings), close };
}

function listen(server: Server, { port, host }: HealthSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function urlOf(server: Server, { port, host }: HealthSettings): string {
  const bound = (server.address() as AddressInfo | null)?.port ?? port;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${bound}`;
}

const isTaken = (error: unknown): boolean => (error as { code?: unknown }).code === "EADDRINUSE";

function unavailable(error: unknown, { host, port }: HealthSettings): HealthPortUnavailable {
  const reason = isTaken(error) ? "another process listens there" : (error as Error).message;
  return new HealthPortUnavailable({ host, port, reason });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

// Not every runtime honours the timeouts of node:http.
function limitTime(socket: Socket, longestMs: number): void {
  const timer = setTimeout(() => socket.destroy(), longestMs);
  (timer as { unref?: () => void }).unref?.();
  socket.once("close", () => clearTimeout(timer));
}

async function answer(
  monitor: Monitor,
  isLocal: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, body } =
    isLocal && !isLocalName(request.headers.host)
      ? json(421, { error: "this address is served to this machine alone; ask for it by 127.0.0.1 or localhost" })
      : await answerTo(monitor, request).catch((error: unknown) => json(500, { error: String(error) }));
  // A connection lives for one answer, so that its time can be limited.
  response.writeHead(status, { "content-type": type, "cache-control": "no-store", connection: "close" });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** A web page may point its own name at 127.0.0.1, but a browser will then ask for that name. */
function isLocalName(host: string | undefined): boolean {
  if (host === undefined) return true; // no browser omits it
  return isLoopback(host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1"));
}

const isLoopback = (host: string): boolean =>
  /^(.+\.)?localhost\.?$/i.test(host) || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

async function answerTo(monitor: Monitor, { method, url = "/" }: IncomingMessage): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return json(405, { error: `${method} is not supported, only GET` });
  const path = url.split("?", 1)[0];
  if (path === "/live") {
    const liveness = livenessOf(monitor);
    return json(liveness.live ? 200 : 503, liveness);
  }
  if (path === "/ready") {
    const readiness = await readinessOf(monitor);
    return json(readiness.ready ? 200 : 503, readiness);
  }
  if (path === "/metrics") return { status: 200, type: expositionType, body: await metricsOf(monitor) };
  return json(404, { error: `${path} not found; try /live, /ready or /metrics` });
}

const json = (status: number, body: object): Answer => ({
  status,
  type: "application/json; charset=utf-8",
  body: `${JSON.stringify(body)}\n`,
});
