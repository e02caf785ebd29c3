// Keeps one worker process alive and replaces it without a gap: the new one registers before the old one drains.
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { LineReader, type WorkerWord } from "./supervised.ts";

export interface SupervisorOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  /** How long a worker that ended by itself stays down. @default 1000 */
  readonly restartMs?: number;
  /** How long a version may take to start before a newer one takes its place. @default 10_000 */
  readonly startMs?: number;
}

/** A process, and what it has reported. */
interface Member {
  readonly child: ChildProcess;
  readonly startedAt: number;
  /** Its files were imported: whatever ends it from now on is not the import's fault. */
  isLoaded: boolean;
  /** It has reported why it does not start. */
  hasFailed: boolean;
  /** The run whose code has just ended the process. */
  endedBy: string | undefined;
}

const lastWordsMs = 1_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #alive = new Set<ChildProcess>();
  /** The process that has registered and works. */
  #current: Member | undefined;
  /** The process that has been started and has not registered yet. */
  #next: Member | undefined;
  /** Files have changed since that one was started. */
  #isOutdated = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts a worker process; once it is ready, the previous one drains and leaves. If it never is, that one stays.
   *
   * A starting version is not replaced at once: with changes faster than a start, none would ever become ready.
   */
  replace(): void {
    if (this.#isStopping) return;
    const { startMs = 10_000, say } = this.#options;
    const startingMs = this.#next === undefined ? 0 : performance.now() - this.#next.startedAt;
    if (this.#next !== undefined && startingMs < startMs) {
      if (!this.#isOutdated) say("a version is starting; the newest one follows");
      this.#isOutdated = true;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#isOutdated && this.replace(), startMs - startingMs);
      return;
    }
    this.#start();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#isOutdated = false;
    send(this.#next?.child, "SIGTERM");
    const child = this.#spawn();
    const member = { child, startedAt: performance.now(), isLoaded: false, hasFailed: false, endedBy: undefined };
    this.#next = member;
    const words = new LineReader((word) => this.#onWord(member, word));
    (child.stdio[3] as Readable).on("data", (chunk) => words.read(String(chunk)));
    // Its last report may arrive after its exit, but never after its pipes have closed; a child of its own may hold them open.
    child.once("close", (code, signal) => this.#onExit(member, signal ?? `code ${code}`));
    child.once("exit", (code, signal) => setTimeout(() => this.#onExit(member, signal ?? `code ${code}`), lastWordsMs));
  }

  /** Drains all processes and waits until they are gone; a second call ends them at once. */
  async stop(): Promise<void> {
    const signal = this.#isStopping ? "SIGKILL" : "SIGTERM";
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const gone = [...this.#alive].map((child) => new Promise<void>((resolve) => child.once("exit", () => resolve())));
    for (const child of this.#alive) send(child, signal);
    await Promise.all(gone);
  }

  // Detached: Ctrl-C in the terminal reaches only this process, which then stops its children in order.
  // Stdin stays open while this process lives: a worker that reads its end knows that its supervisor is gone.
  #spawn(): ChildProcess {
    const [program, ...args] = this.#options.command;
    const child = spawn(program, args, {
      stdio: ["pipe", "inherit", "inherit", "pipe"],
      detached: true,
      env: { ...process.env, ...this.#options.env, NATCHET_SUPERVISED: "1" },
    });
    this.#alive.add(child);
    child.once("exit", () => this.#alive.delete(child));
    child.on("error", (error) => this.#options.say(`${program} could not be started: ${error.message}`));
    return child;
  }

  #onWord(member: Member, { word, run }: WorkerWord): void {
    if (word === "loaded") member.isLoaded = true;
    else if (word === "failed") member.hasFailed = true;
    else if (word === "ended-by") member.endedBy = run;
    else this.#onReady(member);
  }

  #onReady(member: Member): void {
    if (this.#next !== member) return;
    const old = this.#current;
    member.isLoaded = true;
    this.#current = member;
    this.#next = undefined;
    this.#options.say(
      old === undefined
        ? "the worker is ready; it reloads when a file changes"
        : "reloaded; the previous worker drains",
    );
    send(old?.child, "SIGTERM");
    if (this.#isOutdated) this.#start();
  }

  #onExit(member: Member, how: string): void {
    if (this.#isStopping || (this.#next !== member && this.#current !== member)) return;
    const isStarting = this.#next === member;
    if (isStarting) this.#next = undefined;
    else this.#current = undefined;
    const { isLoaded, hasFailed, endedBy } = member;
    const why = endedBy === undefined ? how : `${how}, by the code of run ${endedBy}`;
    const others = this.#current === undefined ? "" : "; the previous one keeps working";
    if (isStarting && (hasFailed || !isLoaded)) {
      const what = this.#current === undefined ? "the worker did not start" : "the new version did not start";
      const reason = hasFailed ? "" : ` (${why})`;
      this.#options.say(`${what}${reason}${others || "; waiting for a change"}`);
      if (this.#isOutdated) this.#start();
      return;
    }
    this.#options.say(`the worker process ended (${why}); restarting it${others}`);
    if (this.#isOutdated) this.#start();
    else if (this.#next === undefined) this.#timer = setTimeout(() => this.replace(), this.#options.restartMs ?? 1_000);
  }
}

// Not `child.kill`: on Deno that also closes the child's stdin, which means that the supervisor is gone.
function send(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(child.pid, signal);
  } catch {
    // It has ended in the meantime; its exit event is on the way.
  }
}
