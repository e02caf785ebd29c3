// matching/limits/: which waiting runs of a task its limits let start, and who is cancelled to make room.
// The limits of one task: finds the lane of each arriving run, and tracks what the lanes take.

import { Deque } from "../../collections/deque.ts";
import { type KeyExpression, parseKey } from "../../domain/key-expression.ts";
import type { RateRule } from "../../domain/limits.ts";
import type { TaskPolicies } from "../../domain/policies.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf, setListed } from "../attached.ts";
import { type Needs, needsOf } from "../needs.ts";
import { workerOf } from "../workers.ts";
import { BatchLimit } from "./batch.ts";
import { KeyLimit } from "./concurrency.ts";
import {
  type CompiledConcurrency,
  type CompiledRate,
  compileConcurrency,
  compileRate,
  hintFor,
  keysOf,
  laneKeysOf,
  type RunKeys,
} from "./keys.ts";
import { Lane, Lanes, type LimitUse } from "./lanes.ts";
import type { LimitHost } from "./limit-host.ts";
import { RateLimit } from "./rate.ts";

/** Most inputs read back from the log at the same time. */
const readingLimit = 256;

/** The queue whose runs these limits hold. */
interface LimitedQueue {
  readonly name: string;
  readonly counts: { readonly queued: number };
  priorityOf(run: LiveRun): number;
  noteArrival(): void;
}
/** The leader as limits see it. */
export interface LaneHost extends LimitHost {
  /** The limit of that name, which tasks may share. */
  rateOf(id: string, rule: RateRule): RateLimit;
  /** The key of a queued run has no value: it fails. */
  refuse(run: LiveRun, message: string): void;
  /** Asks for the input of a run. */
  readInput(run: LiveRun): void;
  /** A run comes under a limit, whose strategy may end one too many. */
  weigh(limit: KeyLimit, arrived: LiveRun): void;
}

export class Policies {
  readonly declared: TaskPolicies;
  /** What dispatch takes from: lanes of runs with the same requirements for a worker, by these. */
  readonly #groups = new Map<string, Lanes>();
  readonly #queue: LimitedQueue;
  readonly #host: LaneHost;
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

  constructor(queue: LimitedQueue, declared: TaskPolicies, host: LaneHost) {
    this.#queue = queue;
    this.#host = host;
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
    setListed(run, true);
    this.#arrivals.push(run);
    this.#queue.noteArrival();
  }

  has(limit: KeyLimit): boolean {
    return this.#keyLimits.some((limits) => limits.get(limit.key) === limit);
  }

  /** Whether it counts executing runs. */
  get isKeyed(): boolean {
    return this.#concurrency.length > 0;
  }

  get hasArrivals(): boolean {
    return this.#arrivals.size > 0;
  }

  /** Puts new runs into their lanes, or ends them. */
  admit(): void {
    for (let run = this.#arrivals.first(); run !== undefined; run = this.#arrivals.first()) {
      if (placeOf(run) !== "queued") setListed(run, false);
      else if (!this.#admitOne(run)) return;
      this.#arrivals.shift();
    }
  }

  /** False when it has to wait until others were read. */
  #admitOne(run: LiveRun): boolean {
    const keys = this.#keysOf(run);
    if (keys === "failed") setListed(run, false);
    else if (keys === "unknown") return this.#read(run);
    else {
      setListed(run, false);
      const lane = this.#laneOf(run, keys);
      for (const { limit } of lane.uses) {
        if (limit instanceof KeyLimit && placeOf(run) === "queued") this.#host.weigh(limit, run);
      }
      if (placeOf(run) === "queued") lane.lanes.put(lane, run, this.#queue.priorityOf(run), this.#queue.counts.queued);
    }
    return true;
  }

  #keysOf(run: LiveRun): RunKeys | "unknown" | "failed" {
    const known = this.#known(run);
    if (known !== undefined) return known;
    if (this.#needsInput && run.input === undefined) return "unknown";
    return this.#evaluate(run, run.input);
  }

  /** The keys of the run, if these policies computed them. */
  #known(run: LiveRun): RunKeys | undefined {
    const found = laneKeysOf(run);
    return found?.of === this ? found.keys : undefined;
  }

  #evaluate(run: LiveRun, input: Uint8Array | undefined): RunKeys | "failed" {
    try {
      const keys = keysOf(run, input, this.#concurrency, this.#rates, this.#batchKey);
      run.laneKeys = { of: this, keys };
      return keys;
    } catch (error) {
      // One that is already executing continues and is not counted.
      if (placeOf(run) !== "queued") return "failed";
      const message = `the key of this run cannot be computed: ${(error as Error).message}${hintFor(input)}`;
      this.#host.refuse(run, message);
      return "failed";
    }
  }

  #read(run: LiveRun): boolean {
    if (this.#reading.size >= readingLimit) return false;
    this.#reading.set(run.key, run);
    this.#host.readInput(run);
    return true;
  }

  /** There is no input to be read. */
  dropReading(run: LiveRun): void {
    this.#unknownRunning.delete(run);
    if (this.#reading.delete(run.key)) setListed(run, false);
  }

  /** The requested input; undefined if its entry had moved, and it has to be requested again. */
  onInput(run: LiveRun, input: Uint8Array | undefined): void {
    if (!this.#reading.delete(run.key)) return;
    if (input === undefined) {
      if (placeOf(run) === "queued" || this.#unknownRunning.has(run)) this.#read(run);
      return;
    }
    this.#evaluate(run, input);
    if (this.#unknownRunning.delete(run)) this.#bookRunning(run);
    if (placeOf(run) === "queued") this.arrive(run);
    else setListed(run, false);
  }

  /** A run was found executing: it takes from its limits, whether there is room or not. */
  adopt(run: LiveRun): void {
    if (this.#keysOf(run) === "unknown") {
      this.#unknownRunning.add(run);
      this.#read(run);
    } else this.#bookRunning(run);
  }

  /** The slots of such runs are not counted yet, so that nobody may start. */
  get isReady(): boolean {
    for (const run of this.#unknownRunning) {
      if (placeOf(run) !== "running") this.#unknownRunning.delete(run);
    }
    return this.#unknownRunning.size === 0;
  }

  #bookRunning(run: LiveRun): void {
    const booking = workerOf(run)?.find(run.origin, run.turn);
    const keys = this.#known(run);
    if (booking === undefined || booking.lane !== undefined || keys === undefined) return;
    const lane = this.#laneOf(run, keys);
    booking.lane = lane;
    booking.hasBegun = true;
    for (const { limit } of lane.uses) {
      if (!(limit instanceof KeyLimit)) continue; // what it took of a rate is stored
      limit.take();
      if (limit.rule.strategy !== "queue") limit.members.add(run);
    }
  }

  /** What counts a lost attempt of the run that may still be executing; undefined if its key is not known just now. */
  linger(run: LiveRun): Lane | undefined {
    const keys = this.#keysOf(run);
    if (typeof keys === "string") return undefined;
    const lane = this.#laneOf(run, keys);
    lane.linger();
    return lane;
  }

  #laneOf(run: LiveRun, keys: RunKeys): Lane {
    const needs = needsOf(run, this.declared);
    const id = laneId(needs, keys);
    let lane = this.#byId.get(id);
    if (lane === undefined) {
      lane = this.#makeLane(this.#groupOf(needs), id, keys);
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

  #makeLane(lanes: Lanes, id: string, keys: RunKeys): Lane {
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
      uses.push({ limit: this.#host.rateOf(id, rule), units: share.units });
    });
    for (const { limit } of uses) limit.lanes++;
    lanes.count++;
    const batch = this.declared.batch === undefined ? undefined : new BatchLimit(this.#host, this.declared.batch);
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

  /** What stops a queued run; undefined = nothing known. */
  explain(run: LiveRun): Waiting | undefined {
    const keys = this.#known(run);
    if (keys === undefined) return { for: "a concurrency limit", because: "its input is being read to find its key" };
    const blocking = this.#byId.get(laneId(this.needsOf(run), keys))?.findBlocking();
    return blocking?.limit.explain(blocking.units);
  }
  needsOf(run: LiveRun): Needs {
    return needsOf(run, this.declared);
  }
  /** Its place among those with the same keys, the first is 1. */
  positionOf(run: LiveRun): number {
    const keys = this.#known(run);
    const lane = keys === undefined ? undefined : this.#byId.get(laneId(this.needsOf(run), keys));
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
    for (const run of runs) setListed(run, false);
    const queued = [...runs].filter((run) => placeOf(run) === "queued");
    return queued.sort((a, b) => a.origin - b.origin);
  }
}

const laneId = (needs: Needs, keys: RunKeys): string => (needs.id === "" ? keys.id : `${needs.id} ${keys.id}`);
