import type { Command } from "../../src/matching/commands.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { createScheduler, type Scheduler, type SchedulerOptions } from "../../src/scheduler/scheduler.ts";
import { step } from "../../src/scheduler/step.ts";
import type { ModelStream } from "./model-stream.ts";
import { Twin } from "./twin.ts";

export const simulatedOptions = {
  keepCount: 4,
  keepMs: 600_000,
  garbageBatch: 3,
  housekeepingDelayMs: 10_000,
  lostLimit: 4,
};

/** An engine around the real scheduler: reads the stream, and does what it is told when the world lets it. */
export class ModelEngine {
  state: Scheduler;
  /** Commands that are not carried out yet; a crash loses them. */
  outbox: Command[] = [];
  /** Batches that no worker has answered yet → when they were sent. */
  readonly unanswered = new Map<number, { readonly worker: string; readonly sentAt: number }>();
  /** Where the records of rate limits stand that it knows. */
  readonly rateSeqs = new Map<string, number>();
  /** Grows with every death of its process. */
  incarnation = 0;
  isAlive = true;
  /** What its clock is wrong by. */
  skewMs = 0;
  /** Until then it reads nothing of the log, though it does everything else. */
  deafUntil = 0;
  /** Until then it reads one entry at a time. */
  slowUntil = 0;
  /** When another engine took the lead from this one, which does not know it yet. */
  deposedAt: number | undefined = undefined;
  /** Ends of the log that it has asked for, and when. */
  #asked: { readonly seq: number; readonly at: number; readonly gaps: number }[] = [];
  readonly #stream: ModelStream;
  readonly #options: SchedulerOptions;
  #observe: (engine: ModelEngine, commands: readonly Command[]) => void;
  /** Where there is one. */
  #twin: Twin | undefined = undefined;
  readonly #hasTwin: boolean;
  /** What of it may be on its way to the store when the engine dies or ceases to lead. */
  onOrphans: (commands: readonly Command[], epoch: number) => void = () => {};

  constructor(
    stream: ModelStream,
    options: SchedulerOptions,
    observe: (engine: ModelEngine, commands: readonly Command[]) => void,
    hasTwin = false,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.state = createScheduler(options);
    this.#observe = observe;
    this.#hasTwin = hasTwin;
    if (hasTwin) this.#twin = new Twin(options);
  }
  give(event: SchedulerEvent, now: number): void {
    const commands = step(this.state, event, now + this.skewMs);
    this.#twin?.follow(event, now + this.skewMs, commands);
    this.#observe(this, commands);
    if (commands.some((c) => c.type === "rebuild")) {
      this.restart(now);
      this.read(Number.POSITIVE_INFINITY, now);
    }
    for (const command of commands)
      if (command.type !== "wake" && command.type !== "log" && command.type !== "rebuild") this.outbox.push(command);
  }
  /** Folds up to `count` entries of what is left in the stream. */
  read(count: number, now: number): void {
    for (let i = 0; i < count; i++) {
      const next = this.#stream.after(this.state.position);
      if (next === undefined) break;
      this.give(next, now);
    }
    if (this.isCaughtUp) this.give({ type: "floor", outcomesFrom: this.#stream.outcomesFrom }, now);
    this.#hearReached(now);
  }
  /** Hears it once everything that is stored now is read, which may take a while. */
  askForEnd(gaps: number, at: number, now: number): void {
    this.#asked.push({ seq: this.#stream.lastSeq, at, gaps });
    this.#hearReached(now);
  }
  #hearReached(now: number): void {
    if (this.#asked.length === 0) return;
    // What was stored last then may be purged; who reads on behind that has noticed the gap.
    const isReached = ({ seq }: { seq: number }) => this.state.position >= seq || this.isCaughtUp;
    const reached = this.#asked.filter(isReached);
    this.#asked = this.#asked.filter((asked) => !reached.includes(asked));
    if (reached.length === 0) return;
    const { state } = this;
    if (!state.fold.isWhole) this.give({ type: "floor", outcomesFrom: this.#stream.outcomesFrom }, now);
    if (this.state === state) for (const { at, gaps } of reached) this.give({ type: "heard", at, gaps }, now);
  }
  get isCaughtUp(): boolean {
    return this.#stream.after(this.state.position) === undefined;
  }
  crash(): void {
    this.#abandon();
    this.isAlive = false;
  }
  #abandon(): void {
    const orphans = this.outbox;
    this.outbox = [];
    this.#asked = [];
    this.unanswered.clear();
    if (orphans.length > 0) this.onOrphans(orphans, this.state.epoch);
  }
  restart(now: number): void {
    this.crash();
    this.state = createScheduler(this.#options);
    if (this.#hasTwin) this.#twin = new Twin(this.#options);
    this.give({ type: "floor", outcomesFrom: this.#stream.outcomesFrom }, now);
    this.isAlive = true;
    this.deposedAt = undefined;
  }
  stepDown(now: number): void {
    this.give({ type: "stepDown" }, now);
    this.#abandon();
    this.deposedAt = undefined;
  }
}
