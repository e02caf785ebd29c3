import { childIdOf, childPlaceOf, isWanted, type Wait } from "../../../src/domain/durable.ts";
import { isFinal, keyOf, splitKey } from "../../../src/domain/run.ts";
import { pendingSignals } from "../../../src/fold/flow.ts";
import type { LiveRun } from "../../../src/fold/live-run.ts";
import { placeOf } from "../../../src/matching/attached.ts";
import type { Command, EngineOutcome } from "../../../src/matching/commands.ts";
import { isGivenUp } from "../../../src/matching/durable/children.ts";
import { isReady, offersFor } from "../../../src/matching/durable/readiness.ts";
import { createScheduler, type Scheduler } from "../../../src/scheduler/scheduler.ts";
import { step } from "../../../src/scheduler/step.ts";
import type { ModelEngine } from "../model-engine.ts";
import { type FlowAttempt, parkedWait } from "./attempt.ts";
import type { FlowWorld } from "./flow-world.ts";
import type { Story, Written } from "./journals.ts";
import { cursorsAfter, type Delivery, evaluate, type Point, type Start } from "./programs.ts";

interface StoredSignal {
  readonly key: string;
  readonly name: string;
  readonly seq: number;
  readonly at: number;
}

/** What must hold after every step, whatever happened. */
export class FlowChecks {
  readonly #world: FlowWorld;
  /** The fold of the full history, and that of what is left. */
  readonly full: Scheduler;
  #left: Scheduler;
  #removalsSeen = 0;
  /** Something was folded since the last comparison. */
  #hasNews = false;
  #folded = 0;
  readonly #signals: StoredSignal[] = [];
  /** How children ended, other than by an engine. */
  readonly #ends = new Map<string, string>();
  readonly counts = {
    parked: 0,
    finals: 0,
    marks: 0,
    pins: 0,
    childCancels: 0,
    compactions: 0,
    rebuilds: 0,
    resumed: 0,
    purges: 0,
  };

  constructor(world: FlowWorld) {
    this.#world = world;
    this.full = createScheduler(world.options);
    this.#left = createScheduler(world.options);
  }
  afterStep(): void {
    this.#foldNews();
    if (!this.#hasNews) return;
    this.#hasNews = false;
    const whole = this.summaryOf(this.full);
    const left = this.summaryOf(this.#left);
    if (whole !== left) throw new Error(`the full history says\n${whole}\nwhat is left says\n${left}`);
    this.#checkPurges();
    this.#world.erasures.check();
    for (const run of this.full.live.values()) {
      if (run.task === "leaf") continue;
      if (isReady(this.full.fold, run)) this.#checkAwake(run);
      else this.#checkAsleep(run);
    }
  }
  #foldNews(): void {
    const { stream, now } = this.#world;
    if (stream.removals !== this.#removalsSeen) {
      this.#hasNews = true;
      this.#removalsSeen = stream.removals;
      this.#left = createScheduler(this.#world.options);
      for (const entry of stream.stored) step(this.#left, entry, now);
    }
    for (; this.#folded < stream.history.length; this.#folded++) {
      this.#hasNews = true;
      const entry = stream.history[this.#folded]!;
      step(this.full, entry, now);
      if (entry.seq > this.#left.position) step(this.#left, entry, now);
      if (entry.type === "signal") this.#signals.push({ ...entry, key: keyOf(entry.task, entry.id) });
      if (entry.type === "outcomes")
        for (const { kind } of entry.outcomes) {
          if (kind === "parked") this.counts.parked++;
          if (isFinal(kind)) this.counts.finals++;
        }
      this.#checkEnds(entry.type === "outcomes" && entry.by === "engine");
    }
    for (const state of [this.full, this.#left]) step(state, { type: "heard", at: now, gaps: -2 }, now);
  }
  /**
   * Once its parent has ended or is past it, nobody reads how a child ended: it may be forgotten, and what a zombie says of it then stands
   * alone in the log and counts for nobody. As long as it is wanted it is kept (pinned), so that the accepted outcome stays the only one.
   */
  #checkEnds(byEngine: boolean): void {
    const parents = new Map(Array.from(this.full.live.values(), (run) => [run.origin, run]));
    for (const key of this.#ends.keys()) {
      if (this.full.finished.has(key)) continue;
      const place = childPlaceOf(splitKey(key).id)!;
      const parent = parents.get(place.origin);
      const isRead = parent !== undefined && (parent.flow === undefined || isWanted(parent.flow, place));
      if (!isRead) this.#ends.delete(key);
    }
    for (const run of this.full.finished.values()) {
      if (childPlaceOf(splitKey(run.key).id) === undefined || byEngine || run.isErased) continue;
      const known = this.#ends.get(run.key);
      const how = `${run.kind} of ${run.origin} since ${run.at}`; // where it stands changes when it is moved
      if (known === undefined) this.#ends.set(run.key, how);
      else if (known !== how && !known.startsWith("cancelled") && run.kind !== "cancelled")
        throw new Error(`child ${run.key} was ${known} and is ${how}`);
    }
  }
  summaryOf({ fold }: Scheduler): string {
    const lines: string[] = [];
    for (const run of fold.live.values()) {
      const { key, origin, turn, flow } = run;
      const ready = isReady(fold, run);
      const offers = flow === undefined ? [] : offersFor(fold, run).map(shown);
      const wanted = fold.families.isWanted(run, fold.live);
      const wish = run.trail?.cancelWish?.seq;
      const signals = pendingSignals(fold, run).map(({ seq }) => seq);
      lines.push(
        `${key} of ${origin} turn ${turn} ready ${ready} wanted ${wanted} wish ${wish} signals ${signals} offers ${offers} ${JSON.stringify(flow?.parked)}`,
      );
    }
    for (const { key, kind, seq, origin } of fold.finished.values())
      lines.push(`${key} ${kind} at ${seq} of ${origin} ${fold.pinned.has(key)}`);
    return lines.sort().join("\n");
  }
  /** A run that nobody would wake has to wait for what it lists, and what its journal waits for must not have come. */
  #checkAsleep(run: LiveRun): void {
    const { fold } = this.full;
    const { key, origin, createdAt, flow, task } = run;
    const story = this.#world.journals.story(origin, createdAt);
    const point = evaluate(this.#world.programs.get(task)!, story.start, story.deliveries);
    if (point.at !== "wait") throw new Error(`${key} sleeps, and its journal is at ${point.at}`);
    const listed = JSON.stringify([flow!.lap, flow!.waits]);
    const open = JSON.stringify([story.start.lap, point.open.map(parkedWait)]);
    if (listed !== open) throw new Error(`${key} sleeps on ${listed}, and its journal waits for ${open}`);
    const cursors = cursorsAfter(story.start, story.deliveries);
    const wish = run.trail?.cancelWish?.seq ?? 0;
    if (wish > (cursors["$cancel"] ?? 0)) throw new Error(`${key} sleeps over a wish to cancel`);
    for (const { ordinal, wait, deadline } of point.open) {
      if (wait.w === "timer" && deadline < fold.heardAt) throw new Error(`${key} sleeps over timer ${ordinal}`);
      if (wait.w === "signal" && this.#signalBetween(run, wait.name, cursors[wait.name] ?? 0, Number.POSITIVE_INFINITY))
        throw new Error(`${key} sleeps over a signal for op ${ordinal}`);
      if (wait.w === "children") this.#checkChildren(run, story.start.lap, ordinal, wait.task, wait.size);
    }
  }
  /** One that has been parked is woken by what it waits for, and not by what its journal had taken by then. */
  #checkAwake(run: LiveRun): void {
    const { flow, origin, trail } = run;
    if (flow === undefined || flow.blocked !== undefined) return;
    const { live, finished, fold } = this.full;
    const isOver = (wait: Wait): boolean => {
      if (wait.kind === "timer") return wait.deadline < fold.heardAt;
      if (wait.kind === "signal")
        return (
          this.#signalBetween(run, wait.name, flow.cursors[wait.name] ?? 0, Number.POSITIVE_INFINITY) !== undefined
        );
      const ids = Array.from({ length: wait.size }, (_, place) =>
        keyOf(wait.task, childIdOf({ origin, lap: flow.lap, ordinal: wait.ordinal, place })),
      );
      const kinds = ids.map((key) => (live.has(key) ? undefined : finished.get(key)?.kind));
      return (
        (wait.failFast && kinds.some((kind) => kind === "failed" || kind === "cancelled")) || !kinds.includes(undefined)
      );
    };
    if ((trail?.cancelWish?.seq ?? 0) > (flow.cursors["$cancel"] ?? 0) || flow.waits.some(isOver)) return;
    throw new Error(`${run.key} is ready, and nothing that it waits for has come`);
  }
  /** A leader that has just looked leaves nobody asleep who can go on, as far as it knows. */
  onTicked({ state }: ModelEngine): void {
    for (const run of state.live.values()) {
      const isAsleep =
        placeOf(run) === "waiting" && run.askedReason === undefined && run.placement?.atOnce === undefined;
      if (isAsleep && isReady(state.fold, run)) throw new Error(`a leader lets ${run.key} sleep, which is ready`);
    }
  }
  #checkChildren({ key, origin }: LiveRun, lap: number, ordinal: number, task: string, size: number): void {
    const { live, finished } = this.full;
    for (let place = 0; place < size; place++) {
      const child = `${task}/${childIdOf({ origin, lap, ordinal, place })}`;
      if (!live.has(child) && !finished.has(child))
        throw new Error(`${child}, which ${key} waits for, is neither live nor finished`);
      const run = finished.get(child);
      if (run !== undefined && !this.#isReadable(child))
        throw new Error(`the result of ${child} is gone, and ${key} waits for it`);
    }
  }
  #isReadable(key: string): boolean {
    const { finished, fold } = this.full;
    const { seq, index, entrySeq } = finished.get(key)!;
    const end = fold.pinned.has(key) ? { seq: entrySeq, index: -1 } : { seq, index };
    return this.#world.readResult(key, end) !== undefined;
  }
  #signalBetween(
    run: Pick<LiveRun, "key" | "origin">,
    name: string,
    after: number,
    before: number,
  ): StoredSignal | undefined {
    const from = Math.max(after, Math.floor(run.origin));
    return this.#signals.find((one) => one.key === run.key && one.name === name && one.seq > from && one.seq < before);
  }

  onDelivery({ key, origin }: Written, story: Story, delivery: Delivery): void {
    this.#foldNews();
    const { kind, seq = 0, T } = delivery;
    if (kind === "signal" || kind === "cancel") {
      const name = kind === "cancel" ? "$cancel" : delivery.name!;
      const taken = story.taken.get(name) ?? 0;
      if (seq <= taken) throw new Error(`${name} ${seq} came twice or out of order to ${key}`);
      // A zombie of a run that has ended may take what is sent to the next one of that id.
      const isLive = this.full.live.get(key)?.origin === origin;
      if (kind === "signal" && isLive && this.#signalBetween({ key, origin }, name, taken, seq))
        throw new Error(`a signal ${name} of ${key} was passed over by ${seq}`);
      story.taken.set(name, seq);
    } else if (kind === "timer") this.#checkTimer(key, origin, story, T);
    else if (kind === "children") this.#checkResults(key, origin, story, delivery);
  }
  #checkTimer(key: string, origin: number, story: Story, T: number): void {
    if (T >= this.#world.now) throw new Error(`a timer of ${key} passed before its time`);
    const program = this.#world.programs.get(splitKey(key).task)!;
    for (const { wait } of evaluate(program, story.start, story.deliveries).open) {
      if (wait.w !== "signal") continue;
      const missed = this.#signalBetween(
        { key, origin },
        wait.name,
        story.taken.get(wait.name) ?? 0,
        Number.POSITIVE_INFINITY,
      );
      if (missed !== undefined && missed.at <= T) throw new Error(`a timer of ${key} won over signal ${missed.seq}`);
    }
  }
  #checkResults(key: string, origin: number, story: Story, { ordinal, value }: Delivery): void {
    const program = this.#world.programs.get(splitKey(key).task)!;
    const wait = evaluate(program, story.start, story.deliveries).open.find((one) => one.ordinal === ordinal)?.wait;
    // What a zombie of a run that has ended is told may be forgotten.
    if (wait?.w !== "children" || this.full.live.get(key)?.origin !== origin) return;
    const told = value!.split(",");
    told.forEach((one, place) => {
      const child = `${wait.task}/${childIdOf({ origin, lap: story.start.lap, ordinal, place })}`;
      const run = this.full.finished.get(child);
      if (one === "-" ? !wait.failFast : `${run?.kind}@${run?.origin}` !== one)
        throw new Error(`${key} is told that ${child} was ${one}; it is ${run?.kind}@${run?.origin}`);
    });
  }
  /** Whatever a leader intends to purge in a minute, it does not look at again. */
  #checkPurges(): void {
    for (const { state } of this.#world.leaders)
      for (const { key, origin } of state.leadership!.house.journals.waiting)
        if (this.full.live.get(key)?.origin === origin)
          throw new Error(`the journal of ${key} will be purged, and it lives`);
  }
  /** Who comes back to it later must find it. */
  onJournalPurged(key: string, origin: number): void {
    this.#foldNews();
    if (this.full.live.get(key)?.origin === origin) throw new Error(`the journal of ${key} is purged, and it lives`);
    const known = this.full.finished.get(key);
    if (known?.origin === origin && !known.isErased)
      throw new Error(`the journal of ${key} is purged, and it is known`);
  }
  onFinish(
    { key, origin, turn, createdAt }: FlowAttempt,
    start: Start,
    deliveries: readonly Delivery[],
    ends: Point["ends"],
  ): void {
    this.#foldNews();
    const live = this.full.live.get(key);
    if (live?.origin !== origin || !(turn === live.turn || ends === "completed")) return;
    const story = this.#world.journals.story(origin, createdAt);
    if (story.start.lap !== start.lap || JSON.stringify(story.deliveries) !== JSON.stringify(deliveries))
      throw new Error(`${key} ends with what its journal does not say`);
  }
  /** Children are cancelled only when nobody waits for them, or another of a group that fails fast has failed. */
  onEngineOutcomes(outcomes: readonly EngineOutcome[]): void {
    this.#foldNews();
    for (const { key, kind, origin, detail } of outcomes) {
      const reason = detail !== undefined && "reason" in detail ? detail.reason : undefined;
      const run = this.full.live.get(key);
      if (reason?.startsWith("its parent") !== true || run?.origin !== origin) continue;
      this.counts.childCancels++;
      const { fold } = this.full;
      if (fold.families.isWanted(run, fold.live) && !isGivenUp(fold, run))
        throw new Error(`${key}, which its parent waits for, is ended as ${kind}`);
    }
  }
  onCommands({ state }: ModelEngine, commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.type === "append")
        this.counts.marks += command.outcomes.filter(({ kind }) => kind === "retention").length;
      else if (command.type === "compact") {
        this.counts.compactions++;
        if (command.runs[0]?.resultAt !== undefined) this.counts.pins++;
      } else if (command.type === "purge") this.counts.purges++;
      else if (command.type === "rebuild") this.counts.rebuilds++;
      else if (command.type === "assign") {
        this.counts.resumed += command.resumes?.size ?? 0;
        if (state.fold.isWhole) for (const run of command.runs) this.#checkAssigned(run);
      }
    }
  }
  #checkAssigned(run: LiveRun): void {
    if (!this.#world.isHealed) return;
    this.#foldNews(); // what this engine may have read already
    const live = this.full.live.get(run.key);
    if (live?.trail?.cancelWish !== undefined) return; // it undoes what it did
    if (live?.origin === run.origin && !this.full.fold.families.isWanted(live, this.full.live))
      throw new Error(`${run.key} starts, and nobody waits for it`);
  }
  afterHealing(): void {
    const { fold } = this.full;
    const { stream } = this.#world;
    const { keepCount = 0 } = this.#world.options;
    this.#world.erasures.check(true);
    if (fold.pinned.size > 0) throw new Error(`pinned for ever: ${[...fold.pinned]}`);
    if (!fold.families.isEmpty && fold.finished.size > keepCount) throw new Error("families stay");
    const signals = stream.stored.filter(({ type }) => type === "signal");
    if (signals.length > 0) throw new Error(`signals stay for ever: ${JSON.stringify(signals)}`);
    if (fold.finished.size > keepCount + 1) throw new Error(`${fold.finished.size} finished runs are kept`);
    const known = new Set([...fold.live.values(), ...fold.finished.values()].map(({ origin }) => origin));
    const left = this.#world.journals.names.filter(({ origin }) => !known.has(origin));
    if (left.length > 0) throw new Error(`journals stay for ever: ${JSON.stringify(left)}`);
    if (stream.stored.length > 100) throw new Error(`${stream.stored.length} entries stay`);
  }
}

const shown = ({ kind, sequence, time }: { kind: string; sequence: number; time: number }): string =>
  `${kind} ${sequence > 1e12 ? time : sequence}`;
