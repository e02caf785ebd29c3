// A server program that the benchmark starts, and stops by its pid.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { undoLater } from "../cleanup.ts";

export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The signal after which it ends at once and cleanly. */
  readonly stopSignal?: NodeJS.Signals;
}

export class Server {
  readonly pid: number;
  readonly stop: () => Promise<void>;
  readonly #options: ServerOptions;
  readonly #exited: Promise<void>;
  #hasExited = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    const log = openSync(options.logFile, "a");
    const child = spawn(options.command, options.args, {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.pid = child.pid ?? 0;
    this.#exited = new Promise((resolve) => {
      const onEnd = () => {
        this.#hasExited = true;
        resolve();
      };
      child.once("exit", onEnd);
      child.once("error", onEnd);
    });
    this.stop = undoLater(async () => {
      if (!this.#hasExited) child.kill(options.stopSignal ?? "SIGTERM");
      await this.#exited;
    });
  }

  /** Waits until `isReady` says so; fails with the log when the server ends before. */
  async whenReady<T>(isReady: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(20)) {
      const answer = await isReady().catch(() => undefined);
      if (answer !== undefined) return answer;
      if (this.#hasExited) break;
    }
    const log = readFileSync(this.#options.logFile, "utf8").trim().split("\n").slice(-5).join("\n");
    await this.stop();
    throw new Error(`${this.#options.command} did not start: ${log}`);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
