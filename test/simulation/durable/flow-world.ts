// Durable runs on the real scheduler: clients, a stream, journals, two engines that may both lead, workers with zombies; moved by one seed.
import { type ChildEnd, childIdOf, type DurableTerms, type Offer } from "../../../src/domain/durable.ts";
import { keyOf, splitKey } from "../../../src/domain/run.ts";
import type { FoldedOutcome } from "../../../src/fold/log-events.ts";
import type { SchedulerOptions } from "../../../src/scheduler/scheduler.ts";
import type { CompactedFinished } from "../../../src/wire/run-extra.ts";
import { Erasures } from "../erasures.ts";
import { ModelEngine, simulatedOptions } from "../model-engine.ts";
import { ModelStream } from "../model-stream.ts";
import { Random } from "../random.ts";
import type { FlowAttempt, Warm } from "./attempt.ts";
import { FlowChecks } from "./flow-checks.ts";
import { FlowDeeds } from "./flow-deeds.ts";
import { type FlowMood, moodOf } from "./flow-mood.ts";
import { FlowStaff } from "./flow-staff.ts";
import { Journals } from "./journals.ts";
import {
  childProgram,
  type Delivery,
  makeProgram,
  type OpenWait,
  type Point,
  type Program,
  type Start,
} from "./programs.ts";

export const durable: DurableTerms = { version: 1, code: "c", deadlineMs: null, cancelTimeoutMs: 60_000 };
export const tasks = ["p", "q", "d", "leaf"] as const;

export class FlowWorld {
  readonly random: Random;
  now = 1_000_000;
  isHealed = false;
  readonly stream = new ModelStream(() => this.now);
  readonly programs = new Map<string, Program>();
  readonly journals: Journals;
  readonly engines: ModelEngine[];
  readonly staff: FlowStaff;
  readonly deeds: FlowDeeds;
  readonly checks: FlowChecks;
  readonly erasures = new Erasures(this);
  stepsExecuted = 0;
  readonly options: SchedulerOptions;
  readonly mood: FlowMood;
  #epoch = 0;
  /** Outcomes of zombies, and purges of signals, on their way to the log. */
  readonly #late: (() => void)[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    const { random } = this;
    this.mood = moodOf(random);
    this.options = { ...simulatedOptions, keepCount: this.mood.keepCount };
    for (const task of ["p", "q"]) this.programs.set(task, makeProgram(random, this.mood.isTiny));
    this.programs.set("d", childProgram(random));
    this.checks = new FlowChecks(this);
    this.journals = new Journals(this.programs, (written, story, delivery) =>
      this.checks.onDelivery(written, story, delivery),
    );
    this.deeds = new FlowDeeds(this);
    this.staff = new FlowStaff(this);
    this.engines = [0, 1].map(
      () => new ModelEngine(this.stream, this.options, (engine, commands) => this.checks.onCommands(engine, commands)),
    );
    for (const engine of this.engines) engine.onOrphans = (commands, epoch) => this.deeds.abandon(commands, epoch);
    for (let i = 0; i < 3; i++) this.staff.hire();
    this.elect();
  }
  get hasErasures(): boolean {
    return this.mood.hasErasures;
  }
  aLeader(): ModelEngine | undefined {
    const { leaders } = this;
    return leaders.length === 0 ? undefined : this.random.pick(leaders);
  }
  get leaders(): ModelEngine[] {
    return this.engines.filter(({ isAlive, state }) => isAlive && state.isLeading);
  }

  /** One thing happens, then everything is checked. */
  act(): void {
    const { random } = this;
    this.advance(this.#pause());
    if (this.hasErasures) this.erasures.act();
    const x = random.next();
    if (this.#late.length > 0 && random.chance(0.02)) this.#late.splice(random.int(this.#late.length), 1)[0]!();
    if (random.chance(this.mood.spurts)) this.#spurt();
    else if (x < this.mood.clients) this.#client();
    else if (x < 0.3) this.#readSome();
    else if (x < 0.5) this.deeds.carryOutOne();
    else if (x < 0.62) this.#tick();
    else if (x < 0.66) this.staff.beat(random.pick([...this.staff.workers.values()]));
    else if (x < 0.66 + this.mood.elections) this.elect();
    else if (x < 0.685) this.#fault();
    else if (x < 0.685 + this.#moves) this.deeds.moveOne();
    else this.staff.stepOne();
    this.checks.afterStep();
  }
  /** Minutes do not pass while two lead, who have five seconds, nor over the time in which one does not read. */
  #pause(): number {
    const { random, mood, leaders, now } = this;
    if (leaders.length > 1) return random.int(mood.paceMs);
    const most = Math.min(...leaders.map(({ deafUntil }) => (deafUntil > now ? deafUntil - now : 90_000)));
    if (random.chance(mood.leaps)) return Math.min(random.int(90_000), most);
    return Math.min(random.int(random.chance(0.03) ? 4_000 : mood.paceMs), most);
  }
  advance(ms: number): void {
    this.now += ms;
    for (const engine of this.engines)
      if (engine.deposedAt !== undefined && this.now - engine.deposedAt > 5_000) engine.stepDown(this.now);
    this.staff.beatAll();
    if (this.leaders.every(({ deposedAt }) => deposedAt !== undefined)) this.elect();
  }
  elect(): void {
    const able = this.engines.filter(({ isAlive, state }) => isAlive && !state.isLeading);
    if (able.length === 0) {
      if (this.leaders.length === 0) this.engines.find(({ isAlive }) => !isAlive)?.restart(this.now);
      return;
    }
    const engine = this.random.pick(able);
    for (const other of this.leaders) other.deposedAt ??= this.now;
    engine.read(Number.POSITIVE_INFINITY, this.now);
    engine.give({ type: "briefed", briefing: { definitions: this.staff.declared } }, this.now);
    this.#epoch++;
    const knownWorkers = [...this.staff.workers.keys()];
    engine.give({ type: "lead", epoch: this.#epoch, knownWorkers }, this.now);
    this.staff.registerAll();
    if (this.isHealed || !this.random.chance(this.mood.deaf)) return;
    // The new one knows nothing of what the one before still does, and then learns it bit by bit.
    const deaf = this.random.chance(0.8) ? engine : this.random.pick(this.leaders);
    deaf.deafUntil = this.now + 3_000 + this.random.int(12_000);
    deaf.slowUntil = deaf.deafUntil + 10_000;
  }

  // What attempts ask of the world.
  report({ worker, isHidden }: FlowAttempt, outcome: FoldedOutcome): void {
    const isFinal = outcome.kind !== "parked" && outcome.kind !== "retry";
    const detail = isFinal ? { createdAt: 0, priority: 1, attempts: [] } : outcome.detail;
    const land = () => this.stream.writeOutcomes("worker", worker, [{ ...outcome, detail }]);
    if (isHidden && this.random.chance(0.5)) this.#late.push(land);
    else land();
  }
  createChild(task: string, id: string, parent: string, atOnce: number | undefined): void {
    const extra = { metadata: { "natchet.parent": parent }, ...(atOnce !== undefined && { placement: { atOnce } }) };
    this.#create(keyOf(task, id), extra);
  }
  /** What a worker reads of a finished child: its outcome, or its entry in finished form. */
  readResult(key: string, { seq, index }: ChildEnd): string | undefined {
    const entry = this.stream.after(seq - 1);
    if (entry?.seq !== seq) return undefined;
    if (entry.type === "outcomes") {
      const outcome = entry.outcomes[index];
      return outcome?.key === key ? `${outcome.kind}@${outcome.origin}` : undefined;
    }
    if (entry.type !== "entry" || keyOf(entry.task, entry.id) !== key) return undefined;
    const state = entry.entry.extra?.state as CompactedFinished | undefined;
    return state?.pinned === true ? new TextDecoder().decode(entry.entry.input) : undefined;
  }
  /** Of signals, and of children that have ended, as some engine knows them. */
  tellAwake({ key, origin }: FlowAttempt, lap: number, open: readonly OpenWait[]): Offer[] {
    const { fold } = this.random.pick(this.engines).state;
    const offers: Offer[] = [];
    for (const { ordinal, wait } of open) {
      if (wait.w === "signal") {
        for (const { name, seq: sequence, at: time } of fold.signals.get(key) ?? [])
          if (name === wait.name && sequence > origin) offers.push({ kind: "signal", name, time, sequence });
      } else if (wait.w === "children") {
        const found = Array.from({ length: wait.size }, (_, place) =>
          fold.finished.get(keyOf(wait.task, childIdOf({ origin, lap, ordinal, place }))),
        );
        if (found.includes(undefined)) continue;
        const ends = found.map((run) => ({ seq: run!.seq, index: run!.index }));
        const time = Math.max(...found.map((run) => run!.at));
        offers.push({ kind: "children", ordinal, time, sequence: Math.max(...ends.map(({ seq }) => seq)), ends });
      }
    }
    return offers;
  }
  keepFrame({ worker, key }: FlowAttempt, warm: Warm): void {
    if (this.random.chance(0.6)) this.staff.workers.get(worker)?.frames.set(key, warm);
  }
  onFinish(attempt: FlowAttempt, start: Start, deliveries: readonly Delivery[], ends: Point["ends"]): void {
    this.checks.onFinish(attempt, start, deliveries, ends);
  }

  /** Its signals and its journal, of which a message stays that belongs to no turn while somebody may come late. */
  eraseRest({ state }: ModelEngine, key: string, origin: number): void {
    const { position } = state;
    const known = state.finished.get(key);
    const purge = () => this.stream.purge({ signalsOf: key }, position + 1);
    if (known?.origin === origin && !this.isHealed && this.random.chance(0.3)) this.#late.push(purge);
    else if (known?.origin === origin) purge();
    const isLate = this.now - (known?.at ?? this.now) > 60_000;
    if (isLate || !this.programs.has(splitKey(key).task)) this.journals.purge(origin);
    else this.journals.close(key, origin);
  }

  // What happens.
  #create(key: string, extra: NonNullable<Parameters<ModelStream["writeEntry"]>[2]["extra"]> | undefined): boolean {
    const plain = { priority: 1, createdAt: this.now, dueAt: 0, scheduleTimeoutMs: null, inbox: "" };
    return this.stream.writeEntry(key, 0, { form: 0, ...plain, extra });
  }
  #client(): void {
    const { random } = this;
    const x = random.next();
    if (x < 0.5) {
      this.#create(`${random.pick(["p", "q"])}/${random.pick(this.mood.ids)}`, undefined);
      return;
    }
    const live = [...this.checks.full.live.values()].filter(({ task }) => task !== "leaf");
    if (live.length === 0) return;
    const { key } = random.pick(live);
    if (x < 1 - this.mood.cancels) this.signal(key);
    else this.cancel(key, random.chance(0.2));
  }
  signal(key: string, name = this.random.pick(["s", "s", "u"])): void {
    const { task, id } = splitKey(key);
    this.stream.writeSignal(task, id, name);
  }
  cancel(key: string, kill: boolean): void {
    for (const leader of this.leaders)
      leader.give({ type: "cancel", keys: [key], reason: "not wanted", kill }, this.now);
  }
  get #moves(): number {
    const { mood, leaders } = this;
    return mood.moves + (mood.deaf > 0 && leaders.length > 1 ? 0.1 : 0);
  }
  #readSome(): void {
    const engine = this.random.pick(this.engines);
    if (engine.isAlive && !this.random.chance(this.mood.lag)) this.#read(engine, this.random.pick([1, 3, 20]));
  }
  #read(engine: ModelEngine, most: number): void {
    const { now } = this;
    if (now >= engine.deafUntil) engine.read(now < engine.slowUntil ? 1 : most, now);
  }
  /** While another one may be stuck. */
  #spurt(): void {
    const { leaders, random } = this;
    if (leaders.length === 0) return;
    const engine = random.pick(leaders);
    for (let i = 0; i < 4 && engine.state.isLeading; i++) {
      this.#read(engine, 20);
      engine.give({ type: "tick" }, this.now);
      this.deeds.carryOutAll(engine);
      for (let j = 0; j < 5; j++) this.staff.stepOne();
    }
  }
  #tick(): void {
    const { leaders } = this;
    if (leaders.length === 0) return;
    const engine = this.random.pick(leaders);
    engine.give({ type: "tick" }, this.now);
    this.checks.onTicked(engine);
    this.staff.ping(engine);
  }
  #fault(): void {
    const { random } = this;
    const x = random.next();
    if (x < 0.2) this.staff.kill(random.pick([...this.staff.workers.keys()]));
    else if (x < 0.35) random.pick(this.engines).crash();
    else if (x < 0.6) this.engines.find(({ isAlive }) => !isAlive)?.restart(this.now);
    else this.staff.hideOne();
  }

  // The end: no faults, until everything has ended and is forgotten.
  heal(): void {
    this.isHealed = true;
    for (const engine of this.engines) {
      if (!engine.isAlive) engine.restart(this.now);
      else if (engine.deposedAt !== undefined) engine.stepDown(this.now);
    }
    if (this.leaders.length === 0) this.elect();
    let rounds = 0;
    for (; this.checks.full.live.size > 0; rounds++) {
      if (rounds > 3_000) throw new Error(`does not end: ${this.checks.summaryOf(this.checks.full)}`);
      this.#settle();
      this.#satisfy();
    }
    for (let i = 0; i < 100; i++) this.#settle();
    this.elect(); // who leads anew looks for what the one before has left
    for (let i = 0; i < 320 || this.#hasOldJournals; i++) this.#settle();
    this.checks.afterHealing();
  }
  /** Of runs that were forgotten within the last minute, or right now. */
  get #hasOldJournals(): boolean {
    const isDue = (engine: ModelEngine) =>
      !engine.isCaughtUp || engine.state.leadership!.house.journals.waiting.size > 0;
    return this.leaders.some(isDue);
  }
  #settle(): void {
    this.advance(400);
    this.staff.finishAll();
    for (const engine of this.engines) {
      engine.read(Number.POSITIVE_INFINITY, this.now);
      engine.give({ type: "tick" }, this.now);
      this.staff.ping(engine);
      this.deeds.carryOutAll(engine);
    }
    this.erasures.finishAll();
    this.checks.afterStep();
  }
  /** Somebody sends what a run waits for. */
  #satisfy(): void {
    for (const { key, flow } of [...this.checks.full.live.values()])
      for (const wait of flow?.waits ?? [])
        if (wait.kind === "signal" && this.random.chance(0.1)) this.signal(key, wait.name);
  }
}
