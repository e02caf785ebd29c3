import type { LiveRun } from "../../src/fold/live-run.ts";
import { isListed, placeOf } from "../../src/matching/attached.ts";
import type { Command, EngineOutcome } from "../../src/matching/commands.ts";
import { isIsolated, isSuspect } from "../../src/matching/suspects/suspects.ts";
import { queueOf } from "../../src/matching/task-queue.ts";
import { workerOf } from "../../src/matching/workers.ts";
import { createScheduler, type Scheduler } from "../../src/scheduler/scheduler.ts";
import { step } from "../../src/scheduler/step.ts";
import { CancelChecks } from "./cancel-checks.ts";
import { InputChecks } from "./input-checks.ts";
import { kept } from "./kept.ts";
import { LimitChecks } from "./limit-checks.ts";
import type { ModelEngine } from "./model-engine.ts";
import { simulatedOptions } from "./model-engine.ts";
import type { ModelWorker } from "./model-worker.ts";
import { PromiseChecks } from "./promise-checks.ts";
import { ReactionChecks } from "./reaction-checks.ts";
import { ReferenceFold } from "./reference-fold.ts";
import type { World } from "./world.ts";

/** Everything that must hold after every step. */
export class Checks {
  readonly #world: World;
  readonly reference = new ReferenceFold();
  #referencePosition = 0;
  /** The product's fold of the full history, and of what is left. */
  readonly #full: Scheduler;
  #left: Scheduler;
  #removalsSeen = 0;
  /** How much was appended when a state that had all of it was compared last. */
  readonly #compared = new WeakMap<Scheduler, number>();
  readonly #firstAccepted = new Map<string, string>();
  readonly limits: LimitChecks;
  readonly inputs: InputChecks;
  readonly promises: PromiseChecks;
  readonly cancels: CancelChecks;
  readonly reactions: ReactionChecks;
  readonly counts = { assigned: 0, assignedAhead: 0, forwarded: 0, marks: 0, compactions: 0, purges: 0, rebuilds: 0 };

  constructor(world: World) {
    this.#world = world;
    this.#full = createScheduler(world.climate.options);
    this.#left = createScheduler(world.climate.options);
    this.limits = new LimitChecks(world);
    this.inputs = new InputChecks(world);
    this.promises = new PromiseChecks(world, this.reference);
    this.cancels = new CancelChecks(world, this.reference);
    this.reactions = new ReactionChecks(world);
  }
  fail(message: string): never {
    throw new Error(message);
  }
  afterStep(): void {
    this.foldNews();
    const { ids, engines } = this.#world;
    const states = [
      [this.#full, "the fold of the full history"] as const,
      [this.#left, "the fold of what is left"] as const,
      ...engines.filter(isSure).map((e) => [e.state, "a caught-up engine"] as const),
    ].filter(([state]) => this.#hasNews(state));
    if (states.length > 0) {
      for (const key of [...ids, ...this.reactions.recent]) {
        const truth = this.reference.describe(key);
        for (const [state, whose] of states) this.#compare(key, truth, state, whose);
      }
      this.inputs.afterStep(this.reference, [this.#full, this.#left]);
      this.#world.erasures.check();
    }
    for (const engine of this.#world.leaders) {
      checkNoRunForgotten(this, engine, this.#world.stream.history.length);
      checkTimes(engine.state);
    }
  }
  /** Called with what a step answered. */
  onCommands(engine: ModelEngine, commands: readonly Command[]): void {
    this.inputs.onCommands(engine, commands);
    for (const command of commands) {
      if (command.type === "assign") {
        this.counts.assigned += command.runs.length;
        checkAssignment(this, engine.state, command);
        this.limits.onAssigned(engine, command);
        this.cancels.onAssigned(engine, command);
        if (engine.deposedAt === undefined) this.#checkPauses(command);
      } else if (command.type === "cancelOn") this.promises.onStops(command.runs);
      else if (command.type === "forward") {
        this.counts.forwarded++;
        this.foldNews();
        if (!this.reference.answers.has(`${command.key} at ${command.seq}`))
          this.fail(`${command.key}: the outcome at ${command.seq} was forwarded and never accepted`);
      } else if (command.type === "rebuild") {
        this.counts.rebuilds++;
        // What somebody stored over an entry looks like a purge to one that lags behind because it does not lead any more.
        const { forger, erasures } = this.#world;
        const isFooled = engine.deposedAt !== undefined && forger.forged + erasures.finished > 0;
        if (engine.state.isLeading && !isFooled) this.fail("a leader was overtaken by a purge");
      } else if (command.type === "purge") this.counts.purges++;
      else if (command.type === "compact") this.counts.compactions++;
      else if (command.type === "append") {
        this.counts.marks += command.outcomes.filter((o) => o.kind === "retention").length;
        this.foldNews();
        this.promises.onAppend(engine, command.outcomes);
        if (this.#world.climate.isPoisoned) this.#checkInnocents(command.outcomes);
      }
    }
    if (commands.some((c) => c.type === "assign")) checkNobodyOvertaken(this, engine.state, commands);
  }
  onTaken(worker: ModelWorker): void {
    if (worker.busy > worker.slots)
      this.fail(`${worker.id} executes runs of ${worker.busy} slots on ${worker.slots} slots`);
    if (!this.#world.isRough) this.#checkExecutedOnce();
    if (!this.#world.isRough && worker.refusedFull > 0) this.fail(`${worker.id} was given more than it has slots`);
  }
  /** Everybody has been healthy for long: nothing is left to forget, and the stream holds little more than what counts. */
  afterHealing(): void {
    for (const { state } of this.#world.leaders) {
      if (state.finished.size > simulatedOptions.keepCount)
        this.fail(`${state.finished.size} finished runs are kept, wanted were ${simulatedOptions.keepCount}`);
      const phase = state.leadership?.house.retention.phase ?? "idle";
      if (phase !== "idle") this.fail(`retention hangs while ${phase}`);
      if ([...state.workers.values()].some((w) => w.busy > 0)) this.fail("slots are taken by nothing");
    }
    this.inputs.afterHealing(this.reference);
    this.#world.erasures.check(true);
    this.reactions.afterHealing();
    const left = this.#world.stream.stored.length;
    if (left > 60) this.fail(`${left} entries are left in the stream`);
  }
  /** Nothing else is lost in such a world than what poison killed. */
  #checkInnocents(outcomes: readonly EngineOutcome[]): void {
    for (const { kind, key, detail } of outcomes)
      if (kept.poison && kind === "failed" && !this.#world.processes.isPoison(key))
        this.fail(`${key} fails for what others did: ${JSON.stringify(detail)}`);
  }
  #checkPauses({ worker, runs }: Extract<Command, { type: "assign" }>): void {
    const { namespace, tasks, workers } = this.#world.stored.pauses;
    if (namespace) this.fail("a run was assigned in a paused namespace");
    if (workers.includes(worker)) this.fail(`${worker} was given a run while it is paused`);
    for (const { key, task } of runs)
      if (tasks.includes(task)) this.fail(`${key} was assigned while its task is paused`);
  }
  #checkExecutedOnce(): void {
    const names = new Set<string>();
    for (const worker of this.#world.workers.filter(({ isAlive }) => isAlive)) {
      for (const attempt of worker.executing.values()) {
        const { key, origin } = attempt;
        if (this.#world.lateWrites.mayHaveEnded(attempt)) continue;
        if (names.has(`${key}@${origin}`)) this.fail(`${key} is executed twice at the same time`);
        names.add(`${key}@${origin}`);
      }
    }
  }
  /** To be called before the clock moves on. */
  foldNews(): void {
    const { stream, now, ledMs } = this.#world;
    if (stream.removals !== this.#removalsSeen) {
      this.#removalsSeen = stream.removals;
      this.#left = createScheduler(this.#world.climate.options);
      for (const entry of stream.stored) step(this.#left, entry, now);
    }
    for (; this.#referencePosition < stream.history.length; this.#referencePosition++) {
      const entry = stream.history[this.#referencePosition]!;
      this.reference.fold(entry, ledMs);
      this.reactions.onEntry(entry, this.reference);
      step(this.#full, entry, now);
      if (entry.seq > this.#left.position) step(this.#left, entry, now);
    }
    for (const [name, how] of this.reference.accepted) {
      const first = this.#firstAccepted.get(name);
      if (first === undefined) this.#firstAccepted.set(name, how);
      else if (first !== how) this.fail(`${name} was ${first} and is now ${how}`);
    }
    this.reference.accepted.clear();
  }
  /** Folded something since it was compared last. */
  #hasNews(state: Scheduler): boolean {
    const { length } = this.#world.stream.history;
    if (this.#compared.get(state) === length) return false;
    this.#compared.set(state, length);
    return true;
  }
  #compare(key: string, truth: string, state: Scheduler, whose: string): void {
    const seen = describe(state, key);
    if (seen !== truth) this.fail(`${key}: ${whose} says "${seen}", the rules say "${truth}"`);
  }
}

function describe(state: Scheduler, key: string): string {
  const live = state.live.get(key);
  const finished = state.finished.get(key);
  if (live !== undefined && finished !== undefined) return "live and finished";
  if (live !== undefined)
    return `live turn ${live.turn} attempt ${live.attempt} lost ${live.lost} origin ${live.origin} created ${live.createdAt} ready ${live.readyAt}`;
  return finished === undefined ? "unknown" : `${finished.kind} at ${finished.seq}, ${finished.at}`;
}

/** One that missed something while it was deposed folds again before it leads. */
const isSure = ({ isAlive, isCaughtUp, state, deposedAt }: ModelEngine): boolean =>
  isAlive && isCaughtUp && !(state.fold.isTorn && deposedAt !== undefined);

/** Never more than the free slots, never a task that the worker does not have. */
function checkAssignment(checks: Checks, state: Scheduler, command: Extract<Command, { type: "assign" }>): void {
  const worker = state.workers.get(command.worker);
  if (worker === undefined) checks.fail(`assignment to the unknown worker ${command.worker}`);
  if (worker.busy > worker.slots + worker.ahead)
    checks.fail(
      `the ledger of ${worker.id} holds ${worker.busy} of ${worker.slots} slots, and takes ${worker.ahead} ahead`,
    );
  checks.counts.assignedAhead += Math.max(0, Math.min(worker.busy - worker.slots, command.runs.length));
  for (const run of command.runs) {
    if (!worker.tasks.has(run.task))
      checks.fail(`${run.key} was assigned to ${worker.id}, which does not have the task`);
    if (workerOf(run) !== worker) checks.fail(`${run.key} does not know its worker ${worker.id}`);
  }
}

const comesFirst = (a: LiveRun, b: LiveRun): boolean => {
  const [x, y] = [queueOf(a).priorityOf(a), queueOf(b).priorityOf(b)];
  return x > y || (x === y && a.origin < b.origin);
};

/** Nobody who could have had the slot waits behind one who comes later; and no slot stays free while somebody waits for it. */
function checkNobodyOvertaken(checks: Checks, state: Scheduler, commands: readonly Command[]): void {
  if (state.leadership === undefined) return;
  const { matching } = state.leadership;
  const waiting = [...state.live.values()].filter((run) => placeOf(run) === "queued" && !isSuspect(matching, run));
  for (const command of commands) {
    if (command.type !== "assign") continue;
    const worker = state.workers.get(command.worker)!;
    for (const run of waiting) {
      if (!worker.tasks.has(run.task) || queueOf(run).isPaused || queueOf(run).policies !== undefined) continue;
      if (worker.claimedBy !== undefined || isIsolated(matching, worker)) continue;
      if (worker.free > 0) checks.fail(`${run.key} waits although ${worker.id} has ${worker.free} free slots`);
      const later = command.runs.find((assigned) => comesFirst(run, assigned));
      if (later !== undefined) checks.fail(`${later.key} was assigned to ${worker.id} before ${run.key}`);
    }
  }
}

/** Every live run waits for its time, waits in its queue, is in exactly one ledger, or has an outcome of this engine on its way. */
function checkNoRunForgotten(checks: Checks, engine: ModelEngine, lastSeq: number): void {
  const { state } = engine;
  if (state.leadership === undefined) {
    for (const run of state.live.values())
      if (run.soft !== 0 || run.holder !== undefined) checks.fail(`${run.key} is placed although nobody leads`);
    return;
  }
  const { matching } = state.leadership;
  for (const worker of state.workers.values()) {
    const slots = worker.bookings();
    const busy = slots.reduce((sum, { units }) => sum + units, 0);
    if (busy !== worker.busy) checks.fail(`${worker.id} counts ${worker.busy} busy slots, its ledger holds ${busy}`);
    for (const { run, key } of slots) {
      if (run !== undefined && (workerOf(run) !== worker || placeOf(run) !== "running"))
        checks.fail(`${key} is in the ledger of ${worker.id} but ${placeOf(run)}`);
    }
  }
  for (const run of state.live.values()) {
    if (placeOf(run) === "gone") checks.fail(`${run.key} is live but nowhere`);
    const isAside = matching.suspects.some((suspect) => suspect.run === run && suspect.turn === run.turn);
    if (placeOf(run) === "queued" && isListed(run) === isAside) checks.fail(`${run.key} is queued but not listed`);
    if ((placeOf(run) === "running") !== (workerOf(run)?.find(run.origin, run.turn)?.run === run))
      checks.fail(`${run.key} is ${placeOf(run)}, and its worker disagrees`);
    if (
      placeOf(run) === "ending" &&
      state.position >= lastSeq &&
      !engine.outbox.some(
        (c) => c.type === "append" && c.outcomes.some((o) => o.key === run.key && o.turn === run.turn),
      )
    ) {
      checks.fail(`${run.key} waits for an outcome that nobody appends`);
    }
  }
  let due = 0;
  let counted = 0;
  for (const run of state.live.values()) if (placeOf(run) === "scheduled" || placeOf(run) === "retrying") due++;
  for (const queue of matching.queues.values()) counted += queue.liveCount;
  if (matching.due.size < due) checks.fail(`${due} runs wait for their time, ${matching.due.size} are in the heap`);
  if (counted !== state.live.size) checks.fail(`the queues count ${counted} live runs of ${state.live.size}`);
}

/** A heap with something in it that is no time never ends. */
function checkTimes({ leadership }: Scheduler): void {
  if (leadership === undefined) return;
  const { due, timeouts, limitWakes, queueIndex } = leadership.matching;
  for (const heap of [due, timeouts, limitWakes, queueIndex.expiries])
    for (const { at } of heap) if (!Number.isFinite(at)) throw new Error(`a heap holds the time ${at}`);
}
