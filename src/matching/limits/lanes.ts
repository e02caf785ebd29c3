// Lanes: the waiting runs that share all keys of their task's limits, and the order in which lanes get their turn.
import { Heap } from "../../collections/heap.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import type { Needs } from "../needs.ts";
import { ReadyQueue } from "../ready-queue.ts";
import type { Limit } from "./limit.ts";
import { comesFirst, type Listing, type Turns } from "./listing.ts";

/** What a lane takes from a limit for each of its runs. */
export interface LimitUse {
  readonly limit: Limit;
  readonly units: number;
}
/** A batch limit as its lane sees it. */
export interface Gathering extends Limit {
  lane: Lane;
  /** Takes the runs that go with the first one of a batch, as far as all other limits have room for them. */
  takeFollowers(first: LiveRun): Iterable<LiveRun>;
}

/** One lane: its runs share all their keys, and so the limits that decide whether the next may start. */
export class Lane {
  readonly lanes: Lanes;
  readonly id: string;
  readonly uses: readonly LimitUse[];
  /** With whom it shares its turns: all lanes of its first concurrency key; otherwise nobody. */
  readonly turns: Turns;
  /** Gathers its runs, if its task takes many at once. */
  readonly batch: Gathering | undefined;
  readonly ready = new ReadyQueue();
  served = 0;
  /** Where it is listed, among the open lanes or at a limit; undefined while no run waits in it. */
  listing: Listing<Lane> | undefined = undefined;

  constructor(lanes: Lanes, id: string, uses: readonly LimitUse[], batch: Gathering | undefined) {
    this.batch = batch;
    if (batch !== undefined) batch.lane = this;
    this.lanes = lanes;
    this.id = id;
    this.uses = uses;
    this.turns = uses.find(({ limit }) => limit.turns !== undefined)?.limit.turns ?? this;
  }
  /** The first limit without room. */
  findBlocking(): LimitUse | undefined {
    for (const use of this.uses) if (!use.limit.hasRoom(use.units)) return use;
    return undefined;
  }
  /** One more run of the lane takes from its limits. */
  take(): void {
    for (const { limit, units } of this.uses) limit.take(units);
  }
  /** The code of a run is known to have started, this long ago. */
  begin(agoMs: number): void {
    for (const { limit, units } of this.uses) limit.begin(units, agoMs);
  }
  /** Whether concurrency limits count its runs. */
  get isKeyed(): boolean {
    return this.uses.some(({ limit }) => limit.isKeyed);
  }
  /** One of its runs is lost and may still be executing: concurrency limits count it. */
  linger(): void {
    for (const { limit, units } of this.uses) if (limit.isKeyed) limit.take(units);
  }
  /** The slot of one of its runs is free again. */
  giveBack(): void {
    for (const { limit, units } of this.uses) limit.giveBack(units);
  }
  /** A run that was given to a worker never started. */
  refund(): void {
    for (const { limit, units } of this.uses) limit.refund(units);
  }
}

/** Lanes whose runs may go to the same workers. A lane that may have a run to start is open; any other is parked at the limit that stops it. */
export class Lanes {
  readonly #open = new Heap<Listing<Lane>>(comesFirst);
  readonly #onEmpty: (lane: Lane) => void;
  #turns = 0;
  /** How many lanes there are. Written by their table. */
  count = 0;
  readonly isLimited = true;
  readonly needs: Needs | undefined;
  /** Set by `head`. */
  headPriority = 0;
  #head: Lane | undefined = undefined;

  constructor(needs: Needs | undefined, onEmpty: (lane: Lane) => void) {
    this.needs = needs;
    this.#onEmpty = onEmpty;
  }

  /** Adds a run to a lane. */
  put(lane: Lane, run: LiveRun, priority: number, queued: number): void {
    lane.ready.push(run, priority, queued);
    if (lane.listing === undefined || priority > lane.listing.priority) this.open(lane);
    else lane.batch?.wake();
  }

  /** Opens a lane: its next run may start, as far as is known. */
  open(lane: Lane): void {
    const listing: Listing<Lane> = { lane, priority: 0, keyServed: 0, served: 0, origin: 0, units: 0 };
    lane.listing = listing;
    const run = lane.ready.head();
    if (run !== undefined) bringUpToDate(listing, run);
    this.#open.push(listing);
  }

  /** The run that starts next; undefined if no waiting run may start. */
  head(): LiveRun | undefined {
    for (let listing = this.#open.first(); listing !== undefined; listing = this.#open.first()) {
      const { lane } = listing;
      if (lane.listing !== listing) {
        this.#open.pop();
        continue;
      }
      const run = lane.ready.head();
      if (run === undefined) {
        this.#open.pop();
        lane.listing = undefined;
        this.#letOthersTry(lane);
        this.#onEmpty(lane);
      } else if (bringUpToDate(listing, run)) this.#open.sinkFirst();
      else {
        const blocking = lane.findBlocking();
        if (blocking === undefined) {
          this.headPriority = listing.priority;
          this.#head = lane;
          return run;
        }
        this.#open.pop();
        blocking.limit.park(listing, blocking.units);
        this.#letOthersTry(lane);
      }
    }
    return undefined;
  }

  /** Takes the run that `head` returned last; its lane has had its turn, and its limits count one more. */
  pop(): Lane {
    const lane = this.#head!;
    lane.ready.head();
    lane.ready.pop();
    lane.served = ++this.#turns;
    lane.turns.served = this.#turns;
    lane.take();
    return lane;
  }

  #letOthersTry(left: Lane): void {
    for (const { limit } of left.uses) if (limit.hasParked) limit.wakeNext(this);
  }
}

/** Returns whether something had changed. */
function bringUpToDate(listing: Listing<Lane>, run: LiveRun): boolean {
  const { lane } = listing;
  const priority = lane.ready.headPriority;
  const keyServed = lane.turns.served;
  if (
    listing.origin === run.origin &&
    listing.priority === priority &&
    listing.keyServed === keyServed &&
    listing.served === lane.served
  )
    return false;
  listing.origin = run.origin;
  listing.priority = priority;
  listing.keyServed = keyServed;
  listing.served = lane.served;
  return true;
}
