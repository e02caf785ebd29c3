// Watching the server at an address: what it says about itself before anybody logs in, and when it is gone.
import { connect, type Socket } from "node:net";

/** What a server says about itself before anyone logs in. */
export interface ServerInfo {
  readonly id: string;
  readonly version: string;
  readonly jetstream: boolean;
  readonly authRequired: boolean;
  readonly tlsRequired: boolean;
}

/** A bare connection that exists to notice the server's end at once; it never keeps the process alive. */
export interface ServerWatch {
  readonly info: ServerInfo;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Asks whoever listens at the address for its INFO; undefined when nobody answers like a NATS server in time. */
export async function probeServer(url: string, timeoutMs: number): Promise<ServerInfo | undefined> {
  const opened = await openSocket(url, timeoutMs);
  opened?.socket.destroy();
  return opened?.info;
}

/** Connects and stays connected, without a subscription; `url` may have a token in it, which a server with another id than `expected` is not told. */
export async function watchServer(url: string, timeoutMs: number, expected?: string): Promise<ServerWatch | undefined> {
  const opened = await openSocket(url, timeoutMs);
  if (opened === undefined) return undefined;
  const { socket, info } = opened;
  if (expected !== undefined && info.id !== expected) {
    socket.destroy();
    return undefined;
  }
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const token = new URL(url).username;
  const said = { verbose: false, pedantic: false, lang: "natchet", version: "1", name: "natchet watch" };
  socket.write(`CONNECT ${JSON.stringify({ ...said, ...(token !== "" && { auth_token: token }) })}\r\n`);
  socket.on("data", (chunk: Buffer) => {
    if (chunk.includes("PING")) socket.write("PONG\r\n");
  });
  if (socket.destroyed) return undefined;
  return { info, closed, close: () => socket.destroy() };
}

function openSocket(url: string, timeoutMs: number): Promise<{ socket: Socket; info: ServerInfo } | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 4222) });
    const give = (info: ServerInfo | undefined) => {
      clearTimeout(timer);
      socket.removeListener("data", onData);
      if (info === undefined) socket.destroy();
      resolve(info === undefined ? undefined : { socket, info });
    };
    const timer = setTimeout(give, timeoutMs, undefined);
    let text = "";
    const onData = (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const end = text.indexOf("\r\n");
      if (end >= 0) give(parseInfo(text.slice(0, end)));
      else if (text.length > 65_536) give(undefined);
    };
    socket.on("data", onData);
    socket.on("error", () => give(undefined));
    socket.on("close", () => give(undefined));
    socket.unref();
  });
}

function parseInfo(line: string): ServerInfo | undefined {
  if (!line.startsWith("INFO ")) return undefined;
  try {
    const info = JSON.parse(line.slice(5));
    return {
      id: String(info.server_id),
      version: String(info.version),
      jetstream: info.jetstream === true,
      authRequired: info.auth_required === true,
      tlsRequired: info.tls_required === true,
    };
  } catch {
    return undefined;
  }
}
