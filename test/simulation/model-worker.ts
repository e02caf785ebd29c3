import { stopAfterMs } from "../../src/domain/cut-off.ts";
import type { OutcomeKind } from "../../src/domain/run.ts";
import { isFinal, type Turn, taskOf } from "../../src/domain/run.ts";
import type { FoldedOutcome } from "../../src/fold/log-events.ts";
import type { AssignCommand } from "../../src/matching/commands.ts";
import type { Heartbeat, HeldRun, Register, Stop } from "../../src/wire/worker-messages.ts";
import type { Climate } from "./climate.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { Random } from "./random.ts";
import { handlerTask } from "./reaction-checks.ts";

/** Code that does not heed its signal is not waited for any longer than this. */
const graceMs = 5_000;

export interface Attempt extends HeldRun {
  /** Why its signal is aborted. */
  stop: Stop["kind"] | "cut off" | undefined;
  /** When it is stopped for, heeded or not. */
  graceEndsAt: number;
  /** When its code began, by the worker's clock; 0 = it has not begun. */
  startedAt: number;
  /** On the clock of the world. */
  readonly takenAt: number;
  readonly of: string;
  /** With the epoch of its leader. */
  readonly batch: string;
  readonly attempt: number;
  readonly isLarge: boolean;
}
export interface Assigned {
  readonly epoch: number;
  readonly batch: number;
  readonly runs: readonly {
    key: string;
    turn: number;
    origin: number;
    attempt: number;
    task: string;
    isLarge: boolean;
    of: string;
  }[];
}
export const snapshotOf = (command: AssignCommand): Assigned => ({
  epoch: command.epoch,
  batch: command.batch,
  runs: command.runs.map(({ key, turn, origin, attempt, task, isLarge, metadata }) => ({
    ...{ key, turn, origin, attempt, task, isLarge, of: metadata?.["of"] ?? "" },
  })),
});

/** A worker as the design wants it: refuses what does not fit, reports each end until it is stored, beats while it lives. */
export class ModelWorker {
  readonly id: string;
  readonly slots: number;
  readonly tasks: readonly string[];
  readonly executing = new Map<string, Attempt>();
  /** Accepted beyond the slots: they begin as slots become free. */
  readonly waiting = new Map<string, Attempt>();
  /** Ended, but the outcome is not yet in the log. */
  readonly unreported: { readonly attempt: Attempt; readonly outcome: FoldedOutcome }[] = [];
  readonly #seen = new Set<string>();
  epoch = 0;
  /** Of the newest leader that counts it as heard. */
  registeredWith = 0;
  /** When it asked what a leader has answered last. */
  answeredAt = Number.NEGATIVE_INFINITY;
  isAlive = true;
  isConnected = true;
  isHung = false;
  isQuiet = false;
  /** It went because it wanted to. */
  hasLeft = false;
  /** The engine in the same process. */
  readonly host: ModelEngine | undefined;
  /** Since when nobody can talk to it. */
  cutOffAt: number | undefined = undefined;
  lastBeatAt = 0;
  /** What its clock is wrong by. */
  skewMs = 0;
  refusedFull = 0;
  #answers = 0;
  /** Engines see whether its process has ended. */
  readonly isNear: boolean;

  readonly #climate: Climate;

  readonly process: string;

  constructor(
    id: string,
    slots: number,
    tasks: readonly string[],
    climate: Climate,
    host?: ModelEngine,
    process = `process of ${id}`,
  ) {
    this.host = host;
    this.isNear = slots % 2 === 0;
    this.process = process;
    this.#climate = climate;
    this.id = id;
    this.slots = slots;
    this.tasks = tasks;
  }
  get isListening(): boolean {
    return this.isAlive && this.isConnected && !this.isHung;
  }
  /** Takes what it can; returns the indices that it refuses. */
  take(assigned: Assigned, now: number): number[] {
    const refused: number[] = [];
    assigned.runs.forEach((run, index) => {
      const name = nameOf(run);
      if (this.#seen.has(name)) return;
      const waits = this.busy + this.#unitsOf(run.key) > this.slots;
      const isFull = waits && this.waiting.size >= this.#mostAhead;
      if (isFull && assigned.epoch >= this.epoch && !this.isQuiet) this.refusedFull++;
      if (isFull || this.isQuiet || assigned.epoch < this.epoch || !this.tasks.includes(run.task)) refused.push(index);
      else {
        this.#seen.add(name);
        (waits ? this.waiting : this.executing).set(name, {
          key: run.key,
          turn: run.turn,
          origin: run.origin,
          startedAt: 0,
          takenAt: now,
          of: run.of,
          batch: `${assigned.epoch} ${assigned.batch}`,
          attempt: run.attempt,
          isLarge: run.isLarge,
          stop: undefined,
          graceEndsAt: Number.POSITIVE_INFINITY,
        });
      }
    });
    this.epoch = Math.max(this.epoch, assigned.epoch);
    return refused;
  }
  /** How many runs it asks for beyond its slots: never for many answers in a row. */
  get ahead(): number {
    return ++this.#answers % 3 === 0 ? 0 : this.#mostAhead;
  }
  get #mostAhead(): number {
    return this.#climate.hasAhead ? 1 + (this.slots % 3) : 0;
  }
  /** Slots are free again. */
  startNext(): void {
    for (const [name, attempt] of this.waiting) {
      if (this.busy >= this.slots) return;
      this.waiting.delete(name);
      this.executing.set(name, attempt);
    }
  }
  /** What waits may execute elsewhere. */
  giveBack(random: Random, now: number): void {
    for (const attempt of [...this.waiting.values()].reverse()) this.finishOne(random, now, attempt, "returned");
    this.#answers = 2; // the next one asks for nothing
  }
  stop(stop: Stop, now: number): void {
    const name = nameOf(stop);
    const attempt = this.executing.get(name) ?? this.waiting.get(name);
    if (attempt !== undefined) abort(attempt, stop.kind, now);
  }
  /** What counts for a concurrency limit stops when no leader has answered for long. */
  minds(now: number): void {
    if (now - this.answeredAt <= stopAfterMs) return;
    for (const attempt of this.executing.values())
      if (this.#climate.policies[taskOf(attempt.key)]?.concurrency !== undefined) abort(attempt, "cut off", now);
  }
  /** Attempts that had time enough to stop. */
  overdue(now: number): Attempt[] {
    return [...this.executing.values()].filter(({ graceEndsAt }) => graceEndsAt <= now);
  }
  /** Loses an attempt without a word, as a bug would. */
  forgetOne(random: Random): void {
    if (this.executing.size > 0) this.executing.delete(random.pick([...this.executing.keys()]));
    this.startNext();
  }
  begin(attempt: Attempt, now: number): void {
    attempt.startedAt = now + this.skewMs;
  }
  pickOne(random: Random): Attempt {
    return random.pick([...this.executing.values()]);
  }
  /** Ends one attempt in some way, and returns which. */
  finishOne(random: Random, now: number, attempt = this.pickOne(random), as?: OutcomeKind): HeldRun {
    const at = now + this.skewMs;
    this.executing.delete(nameOf(attempt));
    this.waiting.delete(nameOf(attempt));
    this.startNext();
    const isHeeded = as !== undefined || attempt.graceEndsAt <= now || random.chance(0.8);
    if (attempt.stop === "fence" && isHeeded) return attempt; // nothing of it is stored
    const calm = ["completed", "completed", "completed", "completed", "failed", "retry", "retry", "returned"] as const;
    const kind =
      attempt.stop === "cancel" && isHeeded
        ? "cancelled"
        : attempt.stop === "cut off" && isHeeded
          ? "returned"
          : attempt.stop === "fence"
            ? "completed"
            : (as ?? random.pick(calm));
    const { key, turn, origin, startedAt } = attempt;
    const isDelayed = (kind === "retry" && random.chance(0.7)) || (kind === "returned" && random.chance(0.4));
    const longest = this.#climate.hasHours && random.chance(0.3) ? 2_000_000 : 5_000;
    const dueAt = isDelayed ? at + random.int(longest) : 0;
    const record = {
      attempt: attempt.attempt,
      turn,
      worker: this.id,
      startedAt,
      endedAt: at,
      outcome: kind as OutcomeKind,
    };
    const detail =
      kind === "retry" || kind === "returned" ? { attempt: record } : { createdAt: 0, priority: 1, attempts: [record] };
    const inputStays = isFinal(kind) && attempt.isLarge;
    this.unreported.push({ attempt, outcome: { kind, key, turn, origin, at, dueAt, detail, inputStays } });
    return attempt;
  }
  #unitsOf(key: string): number {
    return this.#climate.policies[taskOf(key)]?.slots ?? 1;
  }
  /** Slots that are taken. */
  get busy(): number {
    let busy = 0;
    for (const { key } of this.executing.values()) busy += this.#unitsOf(key);
    return busy;
  }
  get held(): HeldRun[] {
    const held = [...this.executing.values(), ...this.waiting.values(), ...this.unreported.map((u) => u.attempt)];
    return held.map(({ key, turn, origin, startedAt }) => ({ key, turn, origin, startedAt }));
  }
  registration(): Register {
    const { id, slots, tasks, isQuiet } = this;
    const { policies, scheduleTimeouts, hasReactions } = this.#climate;
    const declared = tasks.map((name) => ({
      name,
      timeoutMs: 1e10, // what it executes ends when the world says so
      scheduleTimeoutMs: scheduleTimeouts[name] === undefined ? 60_000 : scheduleTimeouts[name],
      priority: 1,
      retries: 0,
      inputSchema: null,
      outputSchema: null,
      ...(policies[name] !== undefined && { policies: policies[name] }),
      ...(hasReactions && name !== handlerTask && { onFailure: handlerTask }),
    }));
    return {
      v: 2,
      id,
      name: id,
      slots,
      labels: {},
      process: this.process,
      heard: this.epoch,
      runtime: "model",
      version: "0",
      quiet: isQuiet,
      tasks: declared,
      executing: this.held,
    };
  }
  beat(): Heartbeat {
    return { id: this.id, executing: this.held, quiet: this.isQuiet, lagMs: 0 };
  }
}

function abort(attempt: Attempt, why: NonNullable<Attempt["stop"]>, now: number): void {
  if (attempt.stop !== undefined) return;
  attempt.stop = why;
  attempt.graceEndsAt = now + graceMs;
}

export const nameOf = ({ key, origin, turn }: Turn & { readonly key: string }): string => `${key}@${origin}#${turn}`;
