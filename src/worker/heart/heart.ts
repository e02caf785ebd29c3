// worker/heart/: heartbeats while the event loop is blocked.
// Sends heartbeats for the workers of this process while its event loop is blocked, from a thread that sleeps unless needed. Counters in shared
// memory tell it that the loop turns; it gets the workers' registrations as text.
import { URL } from "node:url";
import { Worker as Thread } from "node:worker_threads";
import type { Log } from "../../domain/log.ts";
import type { NatsOptions } from "../../nats/options.ts";
import { atMost } from "../../runtime/at-most.ts";
import { threadEntry } from "../../runtime/thread-entry.ts";
import type { Register, TaskDeclaration } from "../../wire/worker-messages.ts";
import { blockedAfterMs, cell, cellBytes, type HeartData, type TasksToHeart, type ToHeart } from "./heart-data.ts";

const turnEveryMs = 1_000;
/** A slow start of the thread must not keep a worker from its work. */
const startWithinMs = 5_000;
const endWithinMs = 1_000;

interface Beating {
  readonly tasks: readonly TaskDeclaration[];
  readonly describe: () => Omit<Register, "tasks">;
  /** The loop was blocked and turns again. */
  readonly onTurning: () => void;
}

export class Heart {
  readonly #data: HeartData;
  readonly #log: Log;
  readonly #workers = new Map<string, Beating & { lagMs: number }>();
  /** Resolves once the thread runs, or will not: code that blocks the loop would keep a later thread from ever starting. */
  readonly running: Promise<void>;
  /** Where the workers are connected; no heartbeats before that is known. */
  #nats: string | undefined;
  #turning: ReturnType<typeof setInterval> | undefined;
  #thread: Thread | undefined;
  /** What the thread was last told. */
  #told = "";
  #turnedAt = performance.now();
  #beatenAt = Number.NEGATIVE_INFINITY;

  /** Starts the thread at once, so that it runs by the time the process is connected. */
  constructor(log: Log) {
    this.#data = { cells: new Int32Array(new SharedArrayBuffer(cellBytes)) };
    this.#data.cells[cell.heardIn] = -1;
    this.#log = log;
    this.running = atMost(startWithinMs, this.#start());
  }

  connectTo({ onFault: _, ...nats }: NatsOptions): void {
    this.#nats = JSON.stringify(nats);
  }

  /** Sent to the thread before the worker's first run can block the loop. */
  add(id: string, worker: Beating): void {
    this.#workers.set(id, { ...worker, lagMs: 0 });
    this.#thread?.postMessage({ worker: id, tasks: JSON.stringify(worker.tasks) } satisfies TasksToHeart);
    this.#tell();
  }

  remove(id: string): void {
    this.#workers.delete(id);
    this.#tell();
  }

  /** How late the loop was at most since a worker asked last. Units: milliseconds */
  takeLag(id: string): number {
    const worker = this.#workers.get(id);
    const lagMs = Math.round(worker?.lagMs ?? 0);
    if (worker !== undefined) worker.lagMs = 0;
    return lagMs;
  }

  /** When the leader last answered the thread, or shortly before, on the clock of `performance.now`; -Infinity if never. */
  get beatenAt(): number {
    this.#noteBeats();
    return this.#beatenAt;
  }

  /** The thread's report on a turn of the loop must be read before the turn ends. */
  #noteBeats(): void {
    const { cells } = this.#data;
    if (Atomics.load(cells, cell.heardIn) === Atomics.load(cells, cell.turns))
      this.#beatenAt = this.#turnedAt + Atomics.load(cells, cell.heardAfter);
  }

  /** Resolves when the thread is gone, or after a second: a thread that does not end must not hold up a shutdown. */
  async close(): Promise<void> {
    clearInterval(this.#turning);
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread === undefined) return;
    const gone = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
    Atomics.store(this.#data.cells, cell.ended, 1);
    Atomics.notify(this.#data.cells, cell.ended);
    await atMost(endWithinMs, gone); // its timer keeps the process alive until then: by now nothing else may
    void thread.terminate();
  }

  #start(): Promise<void> {
    this.#turning = setInterval(() => this.#turn(), turnEveryMs);
    this.#turning.unref?.();
    return new Promise((resolve) => {
      const fail = (error: unknown) => {
        this.#withoutThread(error);
        resolve();
      };
      try {
        const entry = threadEntry(new URL("./heart-thread.ts", import.meta.url));
        this.#thread = new Thread(entry, { workerData: this.#data });
        this.#thread.once("message", () => resolve());
        this.#thread.on("error", fail);
        this.#thread.unref();
      } catch (error) {
        fail(error);
      }
    });
  }

  #withoutThread(error: unknown): void {
    this.#thread = undefined;
    this.#log.warn(
      "heartbeat thread not available: a worker whose code blocks the event loop for 30 s will be treated as dead; in a bundle or a compiled program, add natchet's heart-thread as an entry point",
      { error },
    );
  }

  #turn(): void {
    this.#noteBeats();
    const now = performance.now();
    const lag = Math.max(now - this.#turnedAt - turnEveryMs, 0);
    this.#turnedAt = now;
    for (const worker of this.#workers.values()) worker.lagMs = Math.max(worker.lagMs, lag);
    this.#tell();
    if (lag > blockedAfterMs) for (const { onTurning } of this.#workers.values()) onTurning();
  }

  #tell(): void {
    Atomics.add(this.#data.cells, cell.turns, 1);
    if (this.#nats === undefined) return;
    const workers = JSON.stringify(Array.from(this.#workers.values(), ({ describe }) => describe()));
    if (workers === this.#told) return;
    this.#told = workers;
    this.#thread?.postMessage({ nats: this.#nats, workers } satisfies ToHeart);
  }
}
