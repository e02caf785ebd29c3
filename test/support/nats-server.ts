// A real nats-server for a test: loopback, its own port and store, gone with the test process whatever happens to it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "./wait-for.ts";

export interface NatsServerOptions {
  /** Fixed port; any free one by default. */
  readonly port?: number;
  /** Path of the program; the one that the product would use by default. */
  readonly program?: string;
  /** Lines of a configuration file. */
  readonly config?: string;
  /** Directory of the streams, which then outlives the server; one of its own by default. */
  readonly store?: string;
  /** Further arguments of the program. */
  readonly args?: readonly string[];
  readonly jetstream?: boolean;
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly store: string;
  /** Clean end; its own store is removed. */
  stop(): Promise<void>;
  /** Clean end; the store stays for {@link NatsServer.restart}. */
  shutDown(): Promise<void>;
  /** SIGKILL; the store stays for {@link NatsServer.restart}. */
  kill(): Promise<void>;
  /** Starts again on the same port and store. */
  restart(): Promise<void>;
  /** SIGSTOP: connected and silent. */
  pause(): void;
  resume(): void;
}

// The shell waits for its stdin to end, which it does when the test process is gone, and takes the server with it.
const leash =
  'exec 3<&0; "$@" </dev/null 3<&- & p=$!; (read -r _ <&3; kill -KILL $p 2>/dev/null) & exec 3<&-; echo $p >"$NATS_PID_FILE"; wait $p';

export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const program = options.program ?? (await findProgram());
  const home = mkdtempSync(join(tmpdir(), "natchet-nats-"));
  const configFile = join(home, "server.conf");
  writeFileSync(configFile, options.config ?? "");
  const store = options.store ?? join(home, "store");
  let port = options.port ?? -1;
  let wrapper: ChildProcess;
  let pid = 0;
  let round = 0;
  const start = async () => {
    const ports = mkdtempSync(join(home, "ports-"));
    const pidFile = join(home, `pid-${++round}`);
    const args = [
      "-c",
      configFile,
      "-a",
      "127.0.0.1",
      "-p",
      String(port),
      "--ports_file_dir",
      ports,
      "-l",
      join(home, "server.log"),
    ];
    if (options.jetstream !== false) args.push("-js", "-sd", store);
    args.push(...(options.args ?? []));
    wrapper = spawn("/bin/sh", ["-c", leash, "sh", program, ...args], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, NATS_PID_FILE: pidFile },
    });
    await waitFor(
      () => readPort(ports) !== undefined && readPid(pidFile) !== undefined,
      15_000,
      "nats-server to be ready",
    );
    port = readPort(ports)!;
    pid = readPid(pidFile)!;
  };
  const end = async (signal: NodeJS.Signals) => {
    const exited = new Promise<void>((resolve) => {
      if (wrapper.exitCode !== null || wrapper.signalCode !== null) resolve();
      else wrapper.once("exit", () => resolve());
    });
    try {
      process.kill(pid, signal);
      process.kill(pid, "SIGCONT"); // a paused one would not hear of anything else
    } catch {
      // already gone
    }
    await exited;
    wrapper.stdin!.destroy(); // lets the leash go
  };
  await start();
  return {
    get url() {
      return `nats://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    get pid() {
      return pid;
    },
    store,
    stop: async () => {
      await end("SIGTERM");
      rmSync(home, { recursive: true, force: true });
    },
    shutDown: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    restart: start,
    pause: () => {
      process.kill(pid, "SIGSTOP");
      waitUntilStopped(pid);
    },
    resume: () => void process.kill(pid, "SIGCONT"),
  };
}

function readPort(directory: string): number | undefined {
  const file = readdirSync(directory).find((name) => name.endsWith(".ports"));
  const text = file === undefined ? "" : readFileSync(join(directory, file), "utf8");
  const match = /"nats":\s*\[\s*"(?:nats|tls):\/\/127\.0\.0\.1:(\d+)"/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

/** The signal is on its way when kill() returns; until it arrives the server may still answer. */
function waitUntilStopped(pid: number): void {
  const file = `/proc/${pid}/stat`;
  const deadline = Date.now() + 1_000;
  while (existsSync(file) && Date.now() < deadline) {
    if (/\) [Tt] /.test(readFileSync(file, "utf8"))) return;
  }
}

async function findProgram(): Promise<string> {
  const { findServerBinary } = await import("../../src/embedded/binary.ts");
  return (await findServerBinary()).path;
}
