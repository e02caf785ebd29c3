// A scheduler, the log around it, and a clock, for tests that say one thing each.
import { isOfEngine, type OutcomeKind, splitKey } from "../../src/domain/run.ts";
import type { FoldedEntry, FoldedOutcome } from "../../src/fold/log-events.ts";
import type { Command } from "../../src/matching/commands.ts";
import type { Matching } from "../../src/matching/matching.ts";
import type { LeadEvent } from "../../src/presence/takeover.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { Faults } from "../../src/scheduler/faults.ts";
import { createScheduler, type Scheduler, type SchedulerOptions } from "../../src/scheduler/scheduler.ts";
import { step } from "../../src/scheduler/step.ts";
import type { RunEntry } from "../../src/wire/run-entry.ts";
import type { HeldRun, TaskDeclaration } from "../../src/wire/worker-messages.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

export class Scene {
  readonly state: Scheduler;
  now = 1_000_000;
  seq = 0;
  /** The store says at once where the log ends. */
  answersEnd = true;
  /** All commands so far. */
  readonly commands: Command[] = [];

  constructor(options: SchedulerOptions = {}, lead: Partial<LeadEvent> | "standby" = {}, faults = new Faults()) {
    this.state = createScheduler(options, faults);
    if (lead !== "standby") {
      this.give({ type: "lead", epoch: 7, knownWorkers: [], ...lead });
      this.give({ type: "heard", at: 0, gaps: 0 });
    }
  }
  /** Of a leader. */
  get matching(): Matching {
    return this.state.leadership!.matching;
  }
  give(event: SchedulerEvent): Command[] {
    const commands = step(this.state, event, this.now);
    this.commands.push(...commands);
    const asked = this.answersEnd ? only(commands, "askForEnd")[0] : undefined;
    if (asked !== undefined) this.give({ type: "heard", at: this.now, gaps: asked.gaps });
    return commands;
  }
  pass(ms: number): void {
    this.now += ms;
  }
  /** Lets time pass as it does for an engine: with a tick a second. Returns what was commanded meanwhile. */
  live(ms: number): Command[] {
    const all: Command[] = [];
    for (let left = ms; left > 0; left -= 1_000) {
      this.pass(Math.min(left, 1_000));
      all.push(...this.tick());
    }
    return all;
  }
  tick(): Command[] {
    return this.give({ type: "tick" });
  }
  /** `at`: when it was stored. */
  create(task: string, id: string, entry: Partial<RunEntry> = {}, at = this.now): number {
    this.give({ type: "entry", seq: ++this.seq, at, task, id, entry: this.#whole(entry) });
    return this.seq;
  }
  /** Many runs in one entry. */
  bundle(task: string, name: string, ids: readonly string[], entry: Partial<RunEntry> = {}): number {
    const runs = ids.map((id) => ({ id, entry: this.#whole(entry) }));
    this.give({ type: "bundle", seq: ++this.seq, at: this.now, task, name, runs });
    return this.seq;
  }
  /** Stores what is left of a bundle, and folds it. */
  moveBundle({ task, name, runs }: CommandOf<"compact">): number {
    const left = runs.map(({ key, entry }) => ({ id: splitKey(key).id, entry }));
    this.give({ type: "bundle", seq: ++this.seq, at: this.now, task, name, runs: left });
    return this.seq;
  }
  answerPurges(commands: readonly Command[]): void {
    for (const { filter, keepFrom } of only(commands, "purge")) this.give({ type: "purged", filter, keepFrom });
  }
  #whole(entry: Partial<RunEntry>): FoldedEntry {
    return {
      form: 0 as const,
      priority: 1,
      createdAt: this.now,
      dueAt: 0,
      scheduleTimeoutMs: undefined,
      inbox: "",
      extra: undefined,
      ...entry,
    };
  }
  register(
    id: string,
    slots: number,
    tasks: readonly (string | Partial<TaskDeclaration>)[],
    executing: readonly HeldRun[] = [],
    quiet = false,
    process?: string,
  ): Command[] {
    const declared = tasks.map((task) => ({
      ...declarationOf("?"),
      ...(typeof task === "string" ? { name: task } : task),
    }));
    return this.give({
      type: "register",
      message: {
        v: 2,
        id,
        name: id,
        slots,
        labels: {},
        runtime: "test",
        version: "0",
        quiet,
        tasks: declared,
        executing,
        ...(process !== undefined && { process }),
      },
    });
  }
  beat(id: string, executing: readonly HeldRun[] = []): Command[] {
    return this.give({ type: "heartbeat", message: { id, executing, quiet: false, lagMs: 0 } });
  }
  /** The named run's outcome, as its worker would append it now. */
  report(
    writer: string,
    key: string,
    kind: OutcomeKind,
    more: Partial<FoldedOutcome> & { readonly told?: string } = {},
  ): Command[] {
    const run = this.state.live.get(key);
    const { told = "", ...said } = more;
    const outcome = {
      kind,
      key,
      turn: run?.turn ?? 1,
      origin: run?.origin ?? 1,
      at: this.now,
      dueAt: 0,
      detail: undefined,
      ...said,
    };
    return this.give({
      type: "outcomes",
      seq: ++this.seq,
      at: this.now,
      by: isOfEngine(kind) ? "engine" : "worker",
      writer,
      told,
      outcomes: [outcome],
    });
  }
  /** Appends what the engine was told to append, and folds it. */
  store(commands: readonly Command[]): Command[] {
    const outcomes = only(commands, "append").flatMap((c) => c.outcomes);
    return outcomes.length === 0
      ? []
      : this.give({
          type: "outcomes",
          seq: ++this.seq,
          at: this.now,
          by: "engine",
          writer: `e${this.state.epoch}`,
          outcomes,
        });
  }
  held(key: string): HeldRun {
    const run = this.state.live.get(key)!;
    return { key, turn: run.turn, origin: run.origin, startedAt: this.now };
  }
  acknowledge(commands: readonly Command[], refused: readonly number[] = [], ahead = 0): void {
    for (const c of only(commands, "assign"))
      this.give({ type: "assigned", id: c.worker, batch: c.batch, refused, ahead });
  }
}

export const declarationOf = (name: string): TaskDeclaration => ({
  name,
  timeoutMs: 60_000,
  scheduleTimeoutMs: 300_000,
  priority: 1,
  retries: 0,
  inputSchema: null,
  outputSchema: null,
});

export const only = <T extends Command["type"]>(commands: readonly Command[], type: T): CommandOf<T>[] =>
  commands.filter((c): c is CommandOf<T> => c.type === type);
/** `worker: key, key` for each assignment. */
export const assignments = (commands: readonly Command[]): string[] =>
  only(commands, "assign").map((c) => `${c.worker}: ${c.runs.map((r) => r.key).join(", ")}`);
/** `kind key` for each outcome that the engine appends. */
export const endings = (commands: readonly Command[]): string[] =>
  only(commands, "append").flatMap((c) => c.outcomes.map((o) => `${o.kind} ${o.key}`));
