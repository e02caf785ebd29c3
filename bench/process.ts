// Starts the processes of the benchmark; each speaks in lines of JSON on stdout.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { undoLater } from "./cleanup.ts";

export interface Line {
  readonly event: string;
  readonly [field: string]: any;
}

export class Process {
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #exited: Promise<void>;
  readonly #waiting = new Set<() => void>();
  readonly #undo: () => Promise<void>;
  #hasExited = false;

  /** `isMuted`: what it writes to stderr goes nowhere. */
  constructor(script: string, args: readonly string[] = [], isMuted = false) {
    const run = "Bun" in globalThis ? ["run"] : ["run", "-A", "--quiet"];
    this.#child = spawn(process.execPath, [...run, new URL(script, import.meta.url).pathname, ...args], {
      stdio: ["pipe", "pipe", isMuted ? "ignore" : "inherit"],
    });
    this.#undo = undoLater(() => this.#kill());
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#lines.push(JSON.parse(line) as Line);
      this.#heard();
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", () => {
        this.#hasExited = true;
        this.#heard();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits for the next line of this event. */
  async next(event: string, timeoutMs = 300_000): Promise<Line> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const at = this.#lines.findIndex((line) => line.event === event);
      if (at >= 0) return this.#lines.splice(at, 1)[0]!;
      if (this.#hasExited) throw new Error(`a process of the benchmark ended before it said "${event}"`);
      if (Date.now() > deadline) throw new Error(`no "${event}" after ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #heard(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Sends a command line. */
  tell(command: string): void {
    if (!this.#hasExited) this.#child.stdin!.write(`${command}\n`);
  }

  /** Sends a command and waits for its answer. */
  ask(command: string, order?: object, timeoutMs?: number): Promise<Line> {
    this.tell(order === undefined ? command : `${command} ${JSON.stringify(order)}`);
    return this.next(command, timeoutMs);
  }

  /** Lets it end by itself, as its command `end` does; a process that does not is killed. */
  async end(): Promise<void> {
    this.tell("end");
    await Promise.race([this.#exited, new Promise((resolve) => setTimeout(resolve, 20_000).unref())]);
    await this.kill();
  }

  async kill(): Promise<void> {
    await this.#undo();
    await this.#exited;
  }

  async #kill(): Promise<void> {
    if (!this.#hasExited) this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** In a child: says a line. */
export function say(event: string, fields: Record<string, unknown> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

/** In a child: the command lines, one after the other. */
export function commands(): AsyncIterable<string> {
  return createInterface({ input: process.stdin });
}
