// testing/: the kit for users' tests: the real scheduler over a log in memory.
// The engine of a test: the scheduler itself over a log in memory, with a clock that the test may move. Its commands are carried out at once, since
// there is neither a store nor a network to wait for.
import type { StoredCron } from "../domain/cron-record.ts";
import type { Offer, Resume } from "../domain/durable.ts";
import { type Log, silentLog } from "../domain/log.ts";
import type { Reaction } from "../domain/reaction.ts";
import type { WorkerTask } from "../domain/worker.ts";
import type { AssignCommand, Command, EngineOutcome } from "../matching/commands.ts";
import { declaredOver } from "../reactions/cron-record.ts";
import { type NewRun, runOfFailure, runOfTick } from "../reactions/new-run.ts";
import { type Deferred, deferred } from "../runtime/deferred.ts";
import { assignmentOf } from "../scheduler/assignment.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import { createScheduler, type Scheduler } from "../scheduler/scheduler.ts";
import { step } from "../scheduler/step.ts";
import type { Vault } from "../sealing/vault.ts";
import { jsonBytes, jsonOf } from "../wire/bytes.ts";
import { plainEntry, type RunEntry } from "../wire/run-entry.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { TaskDeclaration } from "../wire/worker-messages.ts";
import type { Deadlines } from "../worker/deadline.ts";
import type { Clock } from "./clock.ts";
import type { InlineRun } from "./inline-run.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { MemoryLog } from "./memory-log.ts";
import { openStory, storyOf } from "./story.ts";
import { TestAttempts, workerId } from "./test-attempts.ts";
import { durablesOf } from "./test-durables.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

export interface TestEngineParts {
  readonly clock: Clock;
  readonly deadlines: (stopped: () => Promise<unknown>) => Deadlines;
  readonly name: string;
  readonly slots: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly tasks: readonly WorkerTask[];
  readonly declarations: readonly TaskDeclaration[];
  readonly crons: readonly StoredCron[];
  /** The journal of durable runs. @default one that answers each append */
  readonly journal?: MemoryJournal | undefined;
  /** Seals what the log and the journals hold, as in production. @default encryption is off */
  readonly vault?: Vault | undefined;
  /** Called when a durable method has ended while steps or children were open that nobody awaited. */
  readonly onLeftBehind?: ((key: string, ops: readonly string[]) => void) | undefined;
  /** Asked before the run of a reaction is created; false if it must not be. */
  readonly mayReact: (reaction: Reaction) => Promise<boolean>;
}

/** In a test nothing is forgotten, the clock is trusted, and the worker need not show that it is alive. */
const endless = Number.MAX_SAFE_INTEGER;
const options = {
  ...{ keepCount: endless, keepMs: endless, garbageBatch: endless, housekeepingDelayMs: endless },
  inputBudgetBytes: endless,
  pace: { longestNapMs: Number.POSITIVE_INFINITY, tickEveryMs: Number.POSITIVE_INFINITY },
};
const epoch = 1;
/** Fails the test process on an error of the scheduler: that is a bug in natchet, which no test may miss. */
const log: Log = {
  ...silentLog,
  error: (message, fields) =>
    queueMicrotask(() => {
      throw new Error(message, { cause: fields });
    }),
};

export class TestEngine {
  readonly scheduler: Scheduler = createScheduler(options);
  readonly #parts: TestEngineParts;
  readonly #log = new MemoryLog();
  readonly #attempts: TestAttempts;
  readonly #ended = new Map<string, Deferred<InlineRun>>();
  readonly #since: number;
  /** Work started by the current tick. */
  #underWay: Promise<unknown>[] = [];
  /** Events that wait for their turn: the commands of one are carried out before the next event is given. */
  readonly #events: SchedulerEvent[] = [];
  #isStepping = false;
  #isTickDue = false;
  #isResting = false;
  #callOff = () => {};
  /** The sequence of the newest record of a schedule. */
  #cronSeq = 0;

  constructor(parts: TestEngineParts) {
    const { clock, slots, tasks, declarations, crons, vault } = parts;
    this.#parts = parts;
    this.#since = clock.now();
    this.#attempts = new TestAttempts({
      durable: durablesOf({
        ...{ clock, log: silentLog, vault, journal: parts.journal ?? new MemoryJournal() },
        create: (task, id, entry) => this.create(task, id, entry),
        outcomeAt: (seq, index) => this.#log.outcomeAt(seq, index),
        onLeftBehind: parts.onLeftBehind,
      }),
      ...{ slots, log, vault, now: () => clock.now(), tasks: new Map(tasks.map((task) => [task.name, task])) },
      deadlines: parts.deadlines(() => this.#attempts.stopped),
      onOutcome: (outcome) => this.#give(this.#log.report("worker", workerId, [outcome], clock.now())),
      onChange: () => this.tickSoon(),
    });
    this.#give({ type: "floor", outcomesFrom: 1 });
    this.#give({ type: "briefed", briefing: { definitions: declarations, crons } });
    this.#give({ type: "lead", epoch, knownWorkers: [] });
    if (crons.length > 0) this.#give({ type: "tick", livesSince: this.#since });
  }

  /** Registers the worker. */
  register(): void {
    const { name, slots, labels, declarations: tasks } = this.#parts;
    const message = { ...{ v: 2 as const, id: workerId, name, slots, labels, tasks }, executing: this.#attempts.held };
    this.#give({ type: "register", message: { ...message, runtime: "", version: "", quiet: false } });
    this.tickSoon();
  }
  /** Creates a run; false if a run with this id exists. */
  create(task: string, id: string, entry: RunEntry): boolean {
    const event = this.#log.create(task, id, entry, this.#parts.clock.now());
    if (event === undefined) return false;
    this.#isResting = false;
    this.#give(event);
    this.tickSoon();
    return true;
  }
  signal(task: string, id: string, name: string, data: unknown): void {
    this.give(this.#log.signal(task, id, name, data, this.#parts.clock.now()));
  }
  /** Does as if the process of the worker had died and another one had come. */
  crash(): void {
    this.#attempts.crash();
    this.#give({ type: "unreachable", id: workerId, isDead: true });
    this.register();
  }
  give(event: SchedulerEvent): void {
    this.#give(event);
    this.tickSoon();
  }
  /** The keys of all runs, the oldest first. */
  get keys(): Iterable<string> {
    return this.#log.keys;
  }
  storyOf(key: string): InlineRun {
    const story = storyOf(this.scheduler, this.#log, key, this.#attempts.saidBy(key));
    const { vault } = this.#parts;
    return vault === undefined ? story : openStory(vault, story);
  }
  /** Resolves with the whole story of a run once it has ended, whether it completed, failed or was cancelled. */
  ended(key: string): Promise<InlineRun> {
    if (!this.scheduler.live.has(key)) return Promise.resolve(this.storyOf(key));
    let ended = this.#ended.get(key);
    if (ended === undefined) {
      ended = deferred();
      this.#ended.set(key, ended);
    }
    return ended.promise;
  }
  /** Sets no timer until the next run is created: it would keep the test process alive. */
  rest(): void {
    this.#isResting = true;
    this.#callOff();
  }
  /** Ticks once for everything that happens in this moment of the clock. */
  tickSoon(): void {
    if (this.#isTickDue) return;
    this.#isTickDue = true;
    const { clock } = this.#parts;
    clock.at(clock.now(), () => {
      this.#isTickDue = false;
      return this.#tick();
    });
  }

  /** Ticks the scheduler. Resolves when the attempts that begin now, and everything else that the tick causes, have ended. */
  async #tick(): Promise<void> {
    this.#beat();
    this.#give({ type: "tick", livesSince: this.#since });
    const begun = this.#attempts.begin();
    if (begun.length > 0) this.#beat(); // rate limits count from here
    await Promise.all([...begun, ...this.#underWay.splice(0)]);
  }
  #beat(): void {
    if (this.scheduler.workers.get(workerId)?.isRegistered !== true) return;
    this.#give({
      type: "heartbeat",
      message: { id: workerId, executing: this.#attempts.held, quiet: false, lagMs: 0 },
    });
  }

  #give(event: SchedulerEvent): void {
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#isStepping = false;
    }
  }
  #step(event: SchedulerEvent): void {
    for (const command of step(this.scheduler, event, this.#parts.clock.now())) this.#do(command);
    if (event.type === "outcomes") for (const { key } of event.outcomes) this.#tellIfEnded(key);
  }
  #tellIfEnded(key: string): void {
    const ended = this.#ended.get(key);
    if (ended === undefined || this.scheduler.live.has(key)) return;
    this.#ended.delete(key);
    ended.resolve(this.storyOf(key));
  }

  #do(command: Command): void {
    if (command.type === "assign") this.#assign(command);
    else if (command.type === "append") this.#append(command.outcomes);
    else if (command.type === "cancelOn") this.#attempts.stop(command.runs);
    else if (command.type === "react") this.#underWay.push(this.#react(command));
    else if (command.type === "wake") this.#wakeAt(command.at);
    else if (command.type === "log" && command.level === "error") log.error(command.message, command.fields);
    const answer = this.#answerTo(command);
    if (answer !== undefined) this.give(answer);
  }
  /** Answers a command as the store would. */
  #answerTo(command: Command): SchedulerEvent | undefined {
    switch (command.type) {
      case "storeRates":
        return { type: "ratesStored", rates: command.rates.map(({ id, units }) => ({ id, units })) };
      case "storeCron": {
        const { record } = command;
        return { type: "cronWritten", name: record.name, isOurs: true, there: { record, seq: ++this.#cronSeq } };
      }
      case "storeHandled":
        return { type: "handledStored", upTo: command.upTo };
      case "readInput":
        return { type: "input", run: command.run, input: this.#log.inputOf(command.run.key) };
      case "askForEnd":
        return { type: "heard", at: this.#parts.clock.now(), gaps: command.gaps };
    }
    return undefined;
  }
  #assign({ runs, followers, resumes, batch }: AssignCommand): void {
    const assignments = runs.map((run) =>
      assignmentOf(run, this.#log.inputOf(run.key), followers.has(run), this.#withData(resumes?.get(run))),
    );
    const { refused, why } = this.#attempts.accept({ epoch, assignments });
    this.#give({ type: "assigned", id: workerId, batch, refused, why });
  }
  #withData(resume: Resume | undefined): Resume | undefined {
    if (resume === undefined) return undefined;
    const withData = (offer: Offer): Offer =>
      offer.kind === "signal" ? { ...offer, data: this.#log.saidBySignal(offer.sequence) } : offer;
    return { ...resume, offers: resume.offers.map(withData) };
  }
  #append(outcomes: readonly EngineOutcome[]): void {
    this.#give(this.#log.report("engine", `e${epoch}`, outcomes, this.#parts.clock.now()));
    this.tickSoon();
  }
  async #react({ n, reaction }: CommandOf<"react">): Promise<void> {
    const { task, id } = reaction;
    if (await this.#parts.mayReact(reaction)) {
      const { createdAt, scheduleTimeoutMs, metadata, input } = this.#runOf(reaction);
      const entry = { ...plainEntry, createdAt, scheduleTimeoutMs, extra: { metadata }, input: jsonBytes(input) };
      this.create(task, id, entry);
    }
    this.give({ type: "reacted", n });
  }
  #runOf({ cause }: Reaction): NewRun {
    if (cause.type === "tick") return runOfTick(cause, this.#parts.clock.now());
    const { key, seq, index } = cause;
    const outcome = this.#log.outcomeAt(seq, index);
    const failed = { ...(outcome.detail as FinalDetail), at: outcome.at };
    return runOfFailure(key, failed, jsonOf(this.#log.inputOf(key)));
  }
  /** Ticks when something is due next. Nothing happens before, unless the test does something. */
  #wakeAt(at: number): void {
    this.#callOff();
    if (at === Number.POSITIVE_INFINITY || this.#isResting) return;
    const { clock } = this.#parts;
    this.#callOff = clock.at(Math.max(at, clock.now() + 1), () => this.#tick());
  }
}

/** The schedules of these tasks, as they are stored when they are first declared. */
export const cronsOf = (worker: string, tasks: readonly WorkerTask[], now: number): StoredCron[] =>
  tasks.flatMap(({ name: task, crons = [] }) =>
    crons.map((rule) => ({ record: declaredOver(undefined, { rule, task, origin: "code", worker }, now), seq: 0 })),
  );
