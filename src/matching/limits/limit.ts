// A limit: what a lane needs room in before its next run may start. Each kind of limit is a subclass.
import { Heap } from "../../collections/heap.ts";
import type { RateRule } from "../../domain/limits.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import type { Step } from "../step.ts";
import { comesFirst, type LaneGroup, type Listing, type ParkedLane, type Turns } from "./listing.ts";

/** The leader as limits see it. */
export interface LimitHost {
  readonly step: Pick<Step, "now" | "uptime">;
  /** Wakes the limit when it may have room again. `at`: on the scheduler's own clock */
  wakeAt(at: number, limit: Limit): void;
  /** The rate limit with that id, which tasks may share. */
  rateOf(id: string, rule: RateRule): Limit;
  /** Asks for units of a rate to be stored before they are used. */
  reserve(rate: string, units: number): void;
  /** Whether the run has to be tried alone. */
  isSuspect(run: LiveRun): boolean;
}

/** A kind of limit says what it does when runs come and go; by default that is nothing. */
export abstract class Limit {
  /** Whether it counts executing runs. */
  readonly isKeyed: boolean = false;
  /** The turns that its lanes share; undefined if each has its own. */
  readonly turns: Turns | undefined = undefined;
  /** How many lanes take from it. */
  lanes = 0;
  protected readonly host: LimitHost;
  /** When it wakes by itself, on the scheduler's own clock. */
  #wakesAt = 0;
  /** Lanes that found no room, in the order in which they will get it. May contain dead listings. */
  readonly #parked = new Map<LaneGroup, Heap<Listing<ParkedLane>>>();

  constructor(host: LimitHost) {
    this.host = host;
  }
  /** Changes nothing: queries use it too. */
  abstract hasRoom(units: number): boolean;
  abstract explain(units: number): Waiting;
  /** A queued run comes under this limit. */
  arrive(_run: LiveRun): void {}
  /** A run starts, or a lost one may still be executing. */
  take(_units: number): void {}
  /** A run was found executing: it counts, whether there is room or not. */
  adopt(_run: LiveRun): void {}
  /** The code of a run that counts is known to have started, this long ago. */
  begin(_units: number, _agoMs: number): void {}
  /** The slot of a run that had started is free again. */
  giveBack(_units: number): void {}
  /** A run that counts never started. */
  refund(_units: number): void {}
  /** One of its lanes is gone. */
  leave(): void {
    this.lanes--;
  }
  /** A lane is waiting here for this many units: asks for what must be stored before use, and makes sure that the lane is woken. */
  protected seekRoom(_units: number): void {}
  /** Does nothing if the limit wakes earlier anyway. */
  protected wakeAt(at: number): void {
    if (this.#wakesAt > this.host.step.uptime && this.#wakesAt <= at) return;
    this.#wakesAt = at;
    this.host.wakeAt(at, this);
  }

  /** A lane has found no room: it waits here. */
  park(listing: Listing<ParkedLane>, units: number): void {
    const { lanes } = listing.lane;
    let heap = this.#parked.get(lanes);
    if (heap === undefined) {
      heap = new Heap<Listing<ParkedLane>>(comesFirst);
      this.#parked.set(lanes, heap);
    }
    listing.units = units;
    heap.push(listing);
    this.seekRoom(units);
  }
  get hasParked(): boolean {
    return this.#parked.size > 0;
  }
  /** There may be room: the first lane of each group may try. When it leaves the open lanes again, it lets the next one try. */
  wake(): void {
    for (const lanes of this.#parked.keys()) this.wakeNext(lanes);
  }
  wakeNext(lanes: LaneGroup): void {
    const heap = this.#parked.get(lanes);
    if (heap === undefined) return;
    let listing = heap.first();
    while (listing !== undefined && listing.lane.listing !== listing) {
      heap.pop();
      listing = heap.first();
    }
    if (listing !== undefined) {
      const { units } = listing;
      if (!this.hasRoom(units)) {
        this.seekRoom(units);
        return;
      }
      heap.pop();
      lanes.open(listing.lane);
    }
    if (heap.size === 0) this.#parked.delete(lanes);
  }
}
