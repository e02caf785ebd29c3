import { Heap } from "../../collections/heap.ts";
import type { Waiting } from "../../domain/run.ts";
import { comesFirst, type LaneGroup, type Listing, type ParkedLane } from "./listing.ts";

/** Something that a lane needs room in before its first run may start. */
export abstract class Limit {
  /** It counts executing runs. */
  readonly isKeyed: boolean = false;
  /** Lanes that take from it. */
  lanes = 0;
  /** Lanes that found no room, in the order in which they will get it. May contain dead listings. */
  readonly #parked = new Map<LaneGroup, Heap<Listing<ParkedLane>>>();

  /** Changes nothing: queries use it too. */
  abstract hasRoom(units: number): boolean;
  /** A run starts, or is found executing. */
  abstract take(units: number): void;
  /** The slot of a run that had started is free again. */
  abstract giveBack(units: number): void;
  /** A run that was taken never started. */
  abstract refund(units: number): void;
  /** The code of a run that was taken is known to have started, this long ago. */
  begin(_units: number, _agoMs: number): void {}
  abstract explain(units: number): Waiting;
  /** A lane waits here for this many units: requests what must be stored before use, and makes sure that the lane is woken. */
  protected seekRoom(_units: number): void {}

  park(listing: Listing<ParkedLane>, units: number): void {
    const { lanes } = listing.lane;
    let heap = this.#parked.get(lanes);
    if (heap === undefined) {
      heap = new Heap<Listing<ParkedLane>>(comesFirst);
      this.#parked.set(lanes, heap);
    }
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
      const units = listing.lane.unitsOf(this);
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
