// matching/limits/: which waiting runs of a task its limits let start, and who is cancelled to make room.
// The policies of one task: they find out the keys of each arriving run and put it into its lane.

import { Deque } from "../../collections/deque.ts";
import type { TaskPolicies } from "../../domain/policies.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf, setListed } from "../attached.ts";
import { type Needs, needsOf } from "../needs.ts";
import { workerOf } from "../workers.ts";
import { batchLimits } from "./batch.ts";
import { concurrencyLimits, type KeyLimit, type KeyLimitHost } from "./concurrency.ts";
import { hintFor, keysOf, laneKeysOf, type RunKeys, readsInput } from "./keys.ts";
import { LaneTable } from "./lane-table.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { rateLimits } from "./rate.ts";
import type { RuleLimits } from "./rule-limits.ts";

/** Most inputs that are read back from the log at the same time. */
const readingLimit = 256;

/** The queue of the task, as its policies see it. */
interface LimitedQueue {
  readonly name: string;
  readonly counts: { readonly queued: number };
  priorityOf(run: LiveRun): number;
  noteArrival(): void;
}
/** The leader as the policies of a task see it. */
export interface LaneHost extends KeyLimitHost {
  /** Fails a queued run whose key has no value. */
  refuse(run: LiveRun, message: string): void;
  /** Asks for the input of a run to be read from the log. */
  readInput(run: LiveRun): void;
}

/** Each kind of limit is one line here. */
function limitsOf({ concurrency, rateLimits: rates, batch }: TaskPolicies, task: string, host: LaneHost): RuleLimits[] {
  return [
    ...(concurrency ?? []).map((rule) => concurrencyLimits(host, rule)),
    ...(rates ?? []).map((rule) => rateLimits(host, task, rule)),
    ...(batch === undefined ? [] : [batchLimits(host, batch)]),
  ];
}

export class Policies {
  readonly declared: TaskPolicies;
  /** Whether a concurrency limit counts executing runs. */
  readonly isKeyed: boolean;
  readonly #queue: LimitedQueue;
  readonly #host: LaneHost;
  readonly #rules: readonly RuleLimits[];
  readonly #needsInput: boolean;
  readonly #lanes: LaneTable;
  /** Queued runs that are not in a lane yet. */
  readonly #arrivals = new Deque<LiveRun>();
  /** Runs whose input is being read, by key. */
  readonly #reading = new Map<string, LiveRun>();
  /** Runs that were found executing before their keys were known. */
  readonly #unknownRunning = new Set<LiveRun>();

  constructor(queue: LimitedQueue, declared: TaskPolicies, host: LaneHost) {
    this.#queue = queue;
    this.#host = host;
    this.declared = declared;
    this.isKeyed = (declared.concurrency ?? []).length > 0;
    this.#rules = limitsOf(declared, queue.name, host);
    this.#needsInput = this.#rules.some(readsInput);
    this.#lanes = new LaneTable(declared, this.#rules);
  }

  groups(): Iterable<Lanes> {
    return this.#lanes.groups();
  }

  arrive(run: LiveRun): void {
    setListed(run, true);
    this.#arrivals.push(run);
    this.#queue.noteArrival();
  }

  /** Whether the task still declares this limit. */
  has({ rule }: KeyLimit): boolean {
    return this.declared.concurrency?.includes(rule) === true;
  }

  get hasArrivals(): boolean {
    return this.#arrivals.size > 0;
  }

  /** Puts arrived runs into their lanes; a run without a key fails, and strategies may cancel some. */
  admit(): void {
    for (let run = this.#arrivals.first(); run !== undefined; run = this.#arrivals.first()) {
      if (placeOf(run) !== "queued") setListed(run, false);
      else if (!this.#admitOne(run)) return;
      this.#arrivals.shift();
    }
  }

  /** Returns false if the run has to wait because too many inputs are being read. */
  #admitOne(run: LiveRun): boolean {
    const keys = this.#keysOf(run);
    if (keys === "failed") setListed(run, false);
    else if (keys === "unknown") return this.#read(run);
    else {
      setListed(run, false);
      const lane = this.#lanes.laneOf(run, keys);
      for (const { limit } of lane.uses) if (placeOf(run) === "queued") limit.arrive(run);
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

  /** The keys of the run, if these policies have computed them. */
  #known(run: LiveRun): RunKeys | undefined {
    const found = laneKeysOf(run);
    return found?.of === this ? found.keys : undefined;
  }

  #evaluate(run: LiveRun, input: Uint8Array | undefined): RunKeys | "failed" {
    try {
      const keys = keysOf(run, input, this.#rules);
      run.laneKeys = { of: this, keys };
      return keys;
    } catch (error) {
      // A run that is already executing goes on, and does not count.
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

  /** The input of the run cannot be read any more. */
  dropReading(run: LiveRun): void {
    this.#unknownRunning.delete(run);
    if (this.#reading.delete(run.key)) setListed(run, false);
  }

  /** The input that was asked for; undefined if its entry had moved, so that it must be asked for again. */
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

  /** A run was found executing: it counts under its limits, whether there is room or not. */
  adopt(run: LiveRun): void {
    if (this.#keysOf(run) === "unknown") {
      this.#unknownRunning.add(run);
      this.#read(run);
    } else this.#bookRunning(run);
  }

  /** Whether all executing runs are counted. While the keys of one are unknown, no run of the task may start. */
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
    const lane = this.#lanes.laneOf(run, keys);
    booking.lane = lane;
    booking.hasBegun = true; // what it took of a rate is stored
    for (const { limit } of lane.uses) limit.adopt(run);
  }

  /** Counts a lost attempt that may still be executing. Returns the lane that counts it; undefined if the run's key is not known now. */
  linger(run: LiveRun): Lane | undefined {
    const keys = this.#keysOf(run);
    if (typeof keys === "string") return undefined;
    const lane = this.#lanes.laneOf(run, keys);
    lane.linger();
    return lane;
  }

  /** What keeps a queued run from starting; undefined = no limit does. */
  explain(run: LiveRun): Waiting | undefined {
    const keys = this.#known(run);
    if (keys === undefined) return { for: "a concurrency limit", because: "its input is being read to find its key" };
    const blocking = this.#lanes.find(run, keys)?.findBlocking();
    return blocking?.limit.explain(blocking.units);
  }
  needsOf(run: LiveRun): Needs {
    return needsOf(run, this.declared);
  }
  /** The place of a run among those with the same keys, from 1. */
  positionOf(run: LiveRun): number {
    const keys = this.#known(run);
    const lane = keys === undefined ? undefined : this.#lanes.find(run, keys);
    return lane?.ready.positionOf(run) ?? 1;
  }

  /** All queued runs, oldest first, as if they had never been in a lane. */
  takeAll(): LiveRun[] {
    const runs = new Set<LiveRun>([...this.#arrivals, ...this.#reading.values(), ...this.#lanes.takeAll()]);
    for (const run of runs) setListed(run, false);
    const queued = [...runs].filter((run) => placeOf(run) === "queued");
    return queued.sort((a, b) => a.origin - b.origin);
  }
}
