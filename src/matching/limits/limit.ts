import { Heap } from "../../collections/heap.ts";
import type { RateRule } from "../../domain/limits.ts";
import type { Waiting } from "../../domain/run.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import type { Step } from "../step.ts";
import { comesFirst, type LaneGroup, type Listing, type ParkedLane, type Turns } from "./listing.ts";

/** The leader as limits see it. */
export interface LimitHost {
  readonly step: Pick<Step, "now" | "uptime">;
  /** The limit may have room then, and lets its lanes try. `at`: on the scheduler's own clock */
  wakeAt(at: number, limit: Limit): void;
  /** The rate limit of that name, which tasks may share. */
  rateOf(id: string, rule: RateRule): Limit;
  /** Asks for units of a rate to be stored before they are used. */
  reserve(rate: string, units: number): void;
  /** Whether the run has to be tried alone. */
  isSuspect(run: LiveRun): boolean;
}

/** Something that a lane needs room in before its first run may start. A kind of limit says what it does when runs come and go; by default that is nothing. */
export abstract class Limit {
  /** It counts executing runs. */
  readonly isKeyed: boolean = false;
  /** Whose turns its lanes share, if they do. */
  readonly turns: Turns | undefined = undefined;
  /** Lanes that take from it. */
  lanes = 0;
  protected readonly host: LimitHost;
  /** When it will look again; on the scheduler's own clock. */
  #wakesAt = 0;
  /** Lanes that found no room, in the order in which they will get it. May contain dead listings. */
  readonly #parked = new Map<LaneGroup, Heap<Listing<ParkedLane>>>();

  constructor(host: LimitHost) {
    this.host = host;
  }
  /** Changes nothing: queries use it too. */
  abstract hasRoom(units: number): boolean;
  abstract explain(units: number): Waiting;
  /** A queued run comes under it. */
  arrive(_run: LiveRun): void {}
  /** A run starts, or a lost one may still be executing. */
  take(_units: number): void {}
  /** A run was found executing: it takes, whether there is room or not. */
  adopt(_run: LiveRun): void {}
  /** The code of a run that was taken is known to have started, this long ago. */
  begin(_units: number, _agoMs: number): void {}
  /** The slot of a run that had started is free again. */
  giveBack(_units: number): void {}
  /** A run that was taken never started. */
  refund(_units: number): void {}
  /** One of its lanes is gone. */
  leave(): void {
    this.lanes--;
  }
  /** A lane waits here for this many units: requests what must be stored before use, and makes sure that the lane is woken. */
  protected seekRoom(_units: number): void {}
  /** Void if it looks again earlier. */
  protected wakeAt(at: number): void {
    if (this.#wakesAt > this.host.step.uptime && this.#wakesAt <= at) return;
    this.#wakesAt = at;
    this.host.wakeAt(at, this);
  }

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
  /** There may be room: the first lane of each group may try. A lane that leaves the open lanes again lets the next one try. */
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
