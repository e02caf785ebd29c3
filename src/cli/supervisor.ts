// Keeps one worker process alive and replaces it without a gap: the new one registers before the old one drains.
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";

export interface SupervisorOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  /** How long a worker that ended by itself stays down. @default 1000 */
  readonly restartMs?: number;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #alive = new Set<ChildProcess>();
  /** The process that has registered and works. */
  #current: ChildProcess | undefined;
  /** The process that has been started and has not registered yet. */
  #next: ChildProcess | undefined;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Starts a worker process; when it is ready, the one before it drains and leaves. If it does not get ready, that one stays. */
  replace(): void {
    if (this.#isStopping) return;
    clearTimeout(this.#restart);
    send(this.#next, "SIGTERM");
    const child = this.#spawn();
    this.#next = child;
    (child.stdio[3] as Readable).once("data", () => this.#onReady(child));
    child.once("exit", (code, signal) => this.#onExit(child, signal ?? `code ${code}`));
  }

  /** Drains all processes and waits until they are gone; a second call ends them at once. */
  async stop(): Promise<void> {
    const signal = this.#isStopping ? "SIGKILL" : "SIGTERM";
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const gone = [...this.#alive].map((child) => new Promise<void>((resolve) => child.once("exit", () => resolve())));
    for (const child of this.#alive) send(child, signal);
    await Promise.all(gone);
  }

  // Detached: Ctrl-C in the terminal reaches this process alone, which then stops its children in order.
  // Stdin stays open as long as this process lives: a worker that reads its end knows that nobody supervises it any more.
  #spawn(): ChildProcess {
    const [program, ...args] = this.#options.command;
    const child = spawn(program, args, {
      stdio: ["pipe", "inherit", "inherit", "pipe"],
      detached: true,
      env: { ...process.env, ...this.#options.env, NATCHET_SUPERVISED: "1" },
    });
    this.#alive.add(child);
    child.on("error", (error) => this.#options.say(`${program} could not be started: ${error.message}`));
    return child;
  }

  #onReady(child: ChildProcess): void {
    if (this.#next !== child) return;
    const old = this.#current;
    this.#current = child;
    this.#next = undefined;
    this.#options.say(
      old === undefined ? "the worker is ready; a changed file replaces it" : "reloaded; the previous worker drains",
    );
    send(old, "SIGTERM");
  }

  #onExit(child: ChildProcess, how: string): void {
    this.#alive.delete(child);
    if (this.#isStopping) return;
    if (this.#next === child) {
      this.#next = undefined;
      this.#options.say(
        this.#current === undefined
          ? "the worker did not start; waiting for a change"
          : "the new version did not start; the previous one keeps working",
      );
    } else if (this.#current === child) {
      this.#current = undefined;
      this.#options.say(`the worker ended (${how}); starting it again`);
      if (this.#next === undefined) this.#restart = setTimeout(() => this.replace(), this.#options.restartMs ?? 1_000);
    }
  }
}

// Not `child.kill`: on Deno that closes the child's stdin as well, which says that the supervisor is gone.
function send(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(child.pid, signal);
  } catch {
    // It has gone meanwhile; its exit event is on the way.
  }
}
