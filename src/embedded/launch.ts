// Starts one server process on a directory, if nobody else holds it.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { randomToken } from "../domain/random-token.ts";
import type { ServerBinary } from "./binary.ts";
import type { Address, Home } from "./home.ts";
import { nextNumberedLock, removeOlderLocks } from "./numbered-lock.ts";
import { serverEnvironment } from "./server-environment.ts";
import { type ServerWatch, watchServer } from "./server-watch.ts";
import { lockIsTaken, wrapperScript } from "./wrapper.ts";

/** A server that this process owns: it ends with this process at the latest. */
export interface LaunchedServer {
  readonly address: Address;
  readonly watch: ServerWatch;
  /** Resolves when the server's process is gone. */
  readonly exited: Promise<void>;
  /** Stops it cleanly and waits for its end. */
  stop(): Promise<void>;
}

export type Launch =
  | { readonly kind: "running"; readonly server: LaunchedServer }
  | { readonly kind: "taken" }
  | { readonly kind: "failed"; readonly reason: string };

/** Starts the program on the directory's store; `taken` when another process's server holds its lock. */
export async function launchServer(home: Home, binary: ServerBinary, signal?: AbortSignal): Promise<Launch> {
  const numbered = hasFlock() ? "-" : nextNumberedLock(home);
  if (numbered === undefined) return { kind: "taken" };
  const ports = `${home.lock}.ports.${randomToken(8)}`;
  const logged = sizeOf(home.log);
  const child = spawnWrapper(home, numbered, ports, [
    binary.path,
    ...serverArguments(home, await choosePort(home), ports),
  ]);
  const exit = observeExit(child);
  const onAbort = () => child.stdin?.end();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const ready = await waitUntilReady(home, ports, exit);
    if (ready === undefined) return failedLaunch(home, exit, logged);
    if (numbered !== "-") removeOlderLocks(home, numbered);
    const address: Address = { ...ready.ports, id: ready.watch.info.id, version: ready.watch.info.version };
    home.writeAddress(address);
    const stop = async () => {
      ready.watch.close();
      await stopChild(child, exit, address.pid);
      rmSync(ports, { recursive: true, force: true });
    };
    return { kind: "running", server: { address, watch: ready.watch, exited: exit.done, stop } };
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

interface Exit {
  readonly done: Promise<void>;
  code: number | null;
  reason: string | undefined;
  isOver: boolean;
}

// Detached: Ctrl-C goes to the whole foreground group, and the server has to outlive the drain of its workers.
function spawnWrapper(home: Home, numbered: string, ports: string, command: readonly string[]): ChildProcess {
  const args = ["-c", wrapperScript, "natchet-server", home.lock, numbered, ports, home.log, ...command];
  const child = spawn("/bin/sh", args, {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: serverEnvironment(),
  });
  child.stdin!.on("error", () => {});
  // The server does not keep a process alive that has nothing else to do: when the process ends, its pipe closes and the server stops.
  child.unref();
  (child.stdin as unknown as { unref?: () => void }).unref?.();
  return child;
}

function serverArguments(home: Home, port: number, ports: string): string[] {
  const network = ["-a", "127.0.0.1", "-p", String(port), "--ports_file_dir", ports];
  return ["-c", home.configuration, ...network, "-js", "-sd", home.directory, "-l", home.log];
}

function observeExit(child: ChildProcess): Exit {
  const exit: Exit = { done: undefined as never, code: null, reason: undefined, isOver: false };
  const done = new Promise<void>((resolve) => {
    child.on("exit", (code) => {
      Object.assign(exit, { code, isOver: true });
      resolve();
    });
    child.on("error", (error) => {
      Object.assign(exit, { reason: error.message, isOver: true });
      resolve();
    });
  });
  return Object.assign(exit, { done });
}

// A store of many gigabytes may take long to recover, so the only limit is the life of the process.
async function waitUntilReady(
  home: Home,
  ports: string,
  exit: Exit,
): Promise<{ ports: Pick<Address, "url" | "port" | "pid">; watch: ServerWatch } | undefined> {
  while (!exit.isOver) {
    const found = readPorts(home, ports);
    const watch = found && (await watchServer(found.url, 2_000));
    if (found !== undefined && watch !== undefined) return { ports: found, watch };
    await Promise.race([exit.done, new Promise((resolve) => setTimeout(resolve, 5))]);
  }
  return undefined;
}

// The server writes the file in place, so it may be read half-written: that does not parse, and the file is read again.
function readPorts(home: Home, directory: string): Pick<Address, "url" | "port" | "pid"> | undefined {
  try {
    const name = readdirSync(directory).find((file) => file.endsWith(".ports"))!;
    const [listening] = JSON.parse(readFileSync(join(directory, name), "utf8")).nats as [string];
    const port = Number(new URL(listening).port);
    return { url: home.urlOf(port), port, pid: Number(/_(\d+)\.ports$/.exec(name)![1]) };
  } catch {
    return undefined;
  }
}

/** `logged`: how long the server's log was before this start. Units: bytes */
function failedLaunch(home: Home, exit: Exit, logged: number): Launch {
  if (exit.code === lockIsTaken) return { kind: "taken" };
  const reason = exit.reason ?? whatWasSaid(home, logged) ?? `exit code ${exit.code}`;
  // The port was free a moment ago. Another process was checking it just then, or is about to serve this directory.
  if (reason.includes("address already in use")) return { kind: "taken" };
  return { kind: "failed", reason: `it did not start in ${home.directory}: ${reason}; see ${home.log}` };
}

/** The last error in the server's log, or the last complaint of the wrapper. */
function whatWasSaid(home: Home, logged: number): string | undefined {
  try {
    const all = readFileSync(home.log);
    const lines = all
      .subarray(logged > all.length ? 0 : logged)
      .toString("utf8")
      .trim()
      .split("\n");
    const last = lines.findLast((line) => /\[(FTL|ERR)\]/.test(line) || (line !== "" && !/\[[A-Z]{3}\]/.test(line)));
    return last?.replace(/^.*\[(FTL|ERR)\] /, "");
  } catch {
    return undefined;
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

// The wrapper stops the server when its standard input closes. A server that has not ended after 10 s is killed: its store survives that.
async function stopChild(child: ChildProcess, exit: Exit, serverPid: number): Promise<void> {
  child.stdin?.end();
  const timer = setTimeout(() => {
    if (!exit.isOver) process.kill(serverPid, "SIGKILL");
  }, 10_000);
  await exit.done;
  clearTimeout(timer);
}

// The port of the last start is tried first: connected clients reconnect to it.
async function choosePort(home: Home): Promise<number> {
  for (const port of [home.readAddress()?.port, home.ownPort]) {
    if (port !== undefined && (await isFree(port))) return port;
  }
  return -1;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function hasFlock(): boolean {
  return spawnSync("/bin/sh", ["-c", "command -v flock"], { stdio: "ignore" }).status === 0;
}
