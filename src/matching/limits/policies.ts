// The limits of one task: finds the lane of each run that arrives, and holds what the lanes take.

import { Deque } from "../../collections/deque.ts";
import { type KeyExpression, parseKey } from "../../domain/key-expression.ts";
import type { TaskPolicies } from "../../domain/policies.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { lingerFromHistory } from "../lingering.ts";
import { type Needs, needsOf } from "../needs.ts";
import { endRun } from "../placement.ts";
import type { SchedulerState } from "../state.ts";
import type { TaskQueue } from "../task-queue.ts";
import { BatchLimit } from "./batch.ts";
import { KeyLimit } from "./concurrency.ts";
import {
  type CompiledConcurrency,
  type CompiledRate,
  compileConcurrency,
  compileRate,
  keysOf,
  type RunKeys,
} from "./keys.ts";
import { Lane, Lanes, type LimitUse } from "./lanes.ts";
import { RateLimit } from "./rate.ts";
import { cancelSurplus } from "./strategies.ts";

/** Inputs that are read back from the log at the same time. */
const readingLimit = 256;

export class Policies {
  readonly declared: TaskPolicies;
  /** What dispatch takes from: the lanes of runs that ask the same of a worker, by what that is. */
  readonly #groups = new Map<string, Lanes>();
  readonly #queue: TaskQueue;
  readonly #concurrency: readonly CompiledConcurrency[];
  readonly #rates: readonly CompiledRate[];
  readonly #batchKey: KeyExpression | undefined;
  readonly #needsInput: boolean;
  readonly #keyLimits: readonly Map<string, KeyLimit>[];
  readonly #byId = new Map<string, Lane>();
  /** Queued, and not in a lane yet. */
  readonly #arrivals = new Deque<LiveRun>();
  /** Runs whose input is being read. */
  readonly #reading = new Map<string, LiveRun>();
  /** Found executing, before their keys were known. */
  readonly #unknownRunning = new Set<LiveRun>();

  constructor(queue: TaskQueue, declared: TaskPolicies) {
    this.#queue = queue;
    this.declared = declared;
    this.#concurrency = (declared.concurrency ?? []).map(compileConcurrency);
    this.#rates = (declared.rateLimits ?? []).map(compileRate);
    const { batch } = declared;
    this.#batchKey = batch?.key == null ? undefined : parseKey(batch.key, "a registered rule");
    this.#keyLimits = this.#concurrency.map(() => new Map());
    const expressions = [
      ...this.#concurrency.map(({ key }) => key),
      ...this.#rates.flatMap(({ key, units }) => [key, units]),
    ];
    const isNeeding = [...expressions, this.#batchKey].some((expression) => expression?.needsInput === true);
    this.#needsInput = isNeeding || (batch !== undefined && batch.bytes !== null);
  }

  groups(): Iterable<Lanes> {
    return this.#groups.values();
  }

  arrive(run: LiveRun): void {
    run.isListed = true;
    this.#arrivals.push(run);
    this.#queue.index.arriving.add(this.#queue);
  }

  has(limit: KeyLimit): boolean {
    return this.#keyLimits.some((limits) => limits.get(limit.key) === limit);
  }

  get hasArrivals(): boolean {
    return this.#arrivals.size > 0;
  }

  /** Puts what has arrived into its lanes, or ends it. */
  admit(state: SchedulerState): void {
    for (let run = this.#arrivals.first(); run !== undefined; run = this.#arrivals.first()) {
      if (run.place !== "queued") run.isListed = false;
      else if (!this.#admitOne(state, run)) return;
      this.#arrivals.shift();
    }
  }

  /** False when it has to wait until others were read. */
  #admitOne(state: SchedulerState, run: LiveRun): boolean {
    const keys = this.#keysOf(state, run);
    if (keys === "failed") run.isListed = false;
    else if (keys === "unknown") return this.#read(state, run);
    else {
      run.isListed = false;
      const lane = this.#laneOf(state, run, keys);
      if (run.lost > 0) lingerFromHistory(state, run, lane);
      for (const { limit } of lane.uses) {
        if (limit instanceof KeyLimit && run.place === "queued") cancelSurplus(state, limit, run);
      }
      if (run.place === "queued") lane.lanes.put(lane, run, this.#queue.priorityOf(run), this.#queue.counts.queued);
    }
    return true;
  }

  #keysOf(state: SchedulerState, run: LiveRun): RunKeys | "unknown" | "failed" {
    if (run.keys?.of === this) return run.keys.keys;
    if (this.#needsInput && run.input === undefined) return "unknown";
    return this.#evaluate(state, run, run.input);
  }

  #evaluate(state: SchedulerState, run: LiveRun, input: Uint8Array | undefined): RunKeys | "failed" {
    try {
      const keys = keysOf(run, input, this.#concurrency, this.#rates, this.#batchKey);
      run.keys = { of: this, keys };
      return keys;
    } catch (error) {
      // One that executes already goes on, and is not counted.
      if (run.place !== "queued") return "failed";
      const message = `the key of this run cannot be computed: ${(error as Error).message}`;
      endRun(state, run, "failed", { error: { name: "KeyNotFound", message, retryable: false } });
      return "failed";
    }
  }

  #read(state: SchedulerState, run: LiveRun): boolean {
    if (this.#reading.size >= readingLimit) return false;
    this.#reading.set(run.key, run);
    state.commands.push({ type: "readInput", run });
    return true;
  }

  /** There is no input to be read. */
  dropReading(run: LiveRun): void {
    this.#unknownRunning.delete(run);
    if (this.#reading.delete(run.key)) run.isListed = false;
  }

  /** The input that was asked for; undefined when its entry had moved, and it is asked for again. */
  onInput(state: SchedulerState, run: LiveRun, input: Uint8Array | undefined): void {
    if (!this.#reading.delete(run.key)) return;
    if (input === undefined) {
      if (run.place === "queued" || this.#unknownRunning.has(run)) this.#read(state, run);
      return;
    }
    this.#evaluate(state, run, input);
    if (this.#unknownRunning.delete(run)) this.#bookRunning(state, run);
    if (run.place === "queued") this.arrive(run);
    else run.isListed = false;
  }

  /** A run was found executing: it takes of its limits, whether there is room or not. */
  adopt(state: SchedulerState, run: LiveRun): void {
    if (this.#keysOf(state, run) === "unknown") {
      this.#unknownRunning.add(run);
      this.#read(state, run);
    } else this.#bookRunning(state, run);
  }

  /** The slots of such runs are not counted yet, so that nobody may start. */
  get isReady(): boolean {
    for (const run of this.#unknownRunning) {
      if (run.place !== "running") this.#unknownRunning.delete(run);
    }
    return this.#unknownRunning.size === 0;
  }

  #bookRunning(state: SchedulerState, run: LiveRun): void {
    const assignment = run.worker?.find(run.origin, run.turn);
    if (assignment === undefined || assignment.lane !== undefined || run.keys?.of !== this) return;
    const lane = this.#laneOf(state, run, run.keys.keys);
    assignment.lane = lane;
    assignment.hasBegun = true;
    for (const { limit } of lane.uses) {
      if (!(limit instanceof KeyLimit)) continue; // what it took of a rate is stored
      limit.take();
      if (limit.rule.strategy !== "queue") limit.members.add(run);
    }
  }

  /** What counts a lost attempt of the run that may still be executed; undefined where its key is not known just now. */
  linger(state: SchedulerState, run: LiveRun): Lane | undefined {
    const keys = this.#keysOf(state, run);
    if (typeof keys === "string") return undefined;
    const lane = this.#laneOf(state, run, keys);
    lane.linger();
    return lane;
  }

  #laneOf(state: SchedulerState, run: LiveRun, keys: RunKeys): Lane {
    const needs = needsOf(run, this.declared);
    const id = laneId(needs, keys);
    let lane = this.#byId.get(id);
    if (lane === undefined) {
      lane = this.#makeLane(state, this.#groupOf(needs), id, keys);
      this.#byId.set(id, lane);
    }
    return lane;
  }

  #groupOf(needs: Needs): Lanes {
    let lanes = this.#groups.get(needs.id);
    if (lanes === undefined) {
      lanes = new Lanes(
        needs.id === "" ? undefined : needs,
        (lane) => this.#forget(lane),
        (lane) => this.#dropIdle(lane),
      );
      this.#groups.set(needs.id, lanes);
    }
    return lanes;
  }

  #makeLane(state: SchedulerState, lanes: Lanes, id: string, keys: RunKeys): Lane {
    const uses: LimitUse[] = [];
    let turns: KeyLimit | undefined;
    this.#concurrency.forEach(({ rule }, index) => {
      const key = keys.concurrency[index]!;
      let limit = this.#keyLimits[index]!.get(key);
      if (limit === undefined) {
        limit = new KeyLimit(rule, key);
        this.#keyLimits[index]!.set(key, limit);
      }
      if (rule.key !== null) turns ??= limit;
      uses.push({ limit, units: 1 });
    });
    this.#rates.forEach(({ rule, key }, index) => {
      const share = keys.rates[index]!;
      const id = key === undefined ? rule.key : JSON.stringify([this.#queue.name, rule.key, share.key]);
      uses.push({ limit: rateOf(state, id, rule), units: share.units });
    });
    for (const { limit } of uses) limit.lanes++;
    lanes.count++;
    const batch = this.declared.batch === undefined ? undefined : new BatchLimit(state, this.declared.batch);
    if (batch !== undefined) uses.push({ limit: batch, units: 1 });
    return new Lane(lanes, id, uses, turns, batch);
  }

  #forget(lane: Lane): void {
    this.#byId.delete(lane.id);
    for (const { limit } of lane.uses) limit.lanes--;
    if (--lane.lanes.count === 0 && lane.lanes.needs !== undefined) this.#groups.delete(lane.lanes.needs.id);
    this.#dropIdle(lane);
  }
  #dropIdle(lane: Lane): void {
    lane.uses.forEach(({ limit }, index) => {
      const limits = this.#keyLimits[index];
      if (limit instanceof KeyLimit && limit.isIdle && limits?.get(limit.key) === limit) limits.delete(limit.key);
    });
  }

  /** What stops a queued run; undefined = nothing that is known of. */
  explain(run: LiveRun): Waiting | undefined {
    if (run.keys?.of !== this)
      return { for: "a concurrency limit", because: "its input is being read to find its key" };
    const blocking = this.#byId.get(laneId(this.needsOf(run), run.keys.keys))?.findBlocking();
    return blocking?.limit.explain(blocking.units);
  }
  needsOf(run: LiveRun): Needs {
    return needsOf(run, this.declared);
  }
  /** Its place among those with the same keys, the first is 1. */
  positionOf(run: LiveRun): number {
    const lane = run.keys?.of === this ? this.#byId.get(laneId(this.needsOf(run), run.keys.keys)) : undefined;
    return lane?.ready.positionOf(run) ?? 1;
  }

  /** All queued runs, oldest first, as if they had never been in a lane. */
  takeAll(): LiveRun[] {
    const runs = new Set<LiveRun>([...this.#arrivals, ...this.#reading.values()]);
    for (const lane of this.#byId.values()) {
      for (const run of lane.ready.takeAll()) runs.add(run);
      for (const { limit } of lane.uses) if (limit instanceof RateLimit) limit.lanes--; // other tasks may share it
    }
    this.#byId.clear();
    for (const run of runs) run.isListed = false;
    const queued = [...runs].filter((run) => run.place === "queued");
    return queued.sort((a, b) => a.origin - b.origin);
  }
}

const laneId = (needs: Needs, keys: RunKeys): string => (needs.id === "" ? keys.id : `${needs.id} ${keys.id}`);

function rateOf(state: SchedulerState, id: string, rule: Parameters<RateLimit["redeclare"]>[0]): RateLimit {
  let limit = state.rates.get(id);
  if (limit === undefined) {
    limit = new RateLimit(state, id, rule);
    const stored = state.storedRates.get(id);
    if (stored !== undefined) limit.restore(stored, state.ratesReadAt);
    state.rates.set(id, limit);
  } else limit.redeclare(rule);
  return limit;
}
