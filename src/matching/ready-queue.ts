// A ready queue: the queued runs of a task, in the order in which they start.
import { Deque } from "../collections/deque.ts";
import { Heap } from "../collections/heap.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { isListed, isQueued, setListed } from "./attached.ts";

/** How many runs are checked one by one when somebody asks for the position of a run. */
const lookedAt = 1_000;

/** The runs of one priority: those that came in the order of the log, and the few that came back later. */
class Level {
  readonly arrivals = new Deque<LiveRun>();
  readonly returned = new Heap<LiveRun>((a, b) => a.origin < b.origin);

  *listed(): Iterable<LiveRun> {
    yield* this.arrivals;
    yield* this.returned;
  }
  *queued(): Iterable<LiveRun> {
    for (const run of this.listed()) if (isQueued(run)) yield run;
  }
  first(): LiveRun | undefined {
    let first: LiveRun | undefined;
    for (const run of this.arrivals) {
      if (!isQueued(run)) continue;
      first = run;
      break;
    }
    for (const run of this.returned)
      if (isQueued(run) && (first === undefined || run.origin < first.origin)) first = run;
    return first;
  }
  holds(run: LiveRun): boolean {
    if (this.arrivals.at(this.#placeOf(run.origin)) === run) return true;
    for (const other of this.returned) if (other === run) return true;
    return false;
  }
  /** Counts the runs older than `origin`. Beyond the first thousand arrivals, those that are no longer queued count as well. */
  countBefore(origin: number): number {
    const place = this.#placeOf(origin);
    let count = Math.max(place - lookedAt, 0);
    for (let i = 0; i < place && i < lookedAt; i++) if (isQueued(this.arrivals.at(i)!)) count++;
    for (const run of this.returned) if (run.origin < origin && isQueued(run)) count++;
    return count;
  }
  /** How many arrivals are older than `origin`. */
  #placeOf(origin: number): number {
    let low = 0;
    let high = this.arrivals.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.arrivals.at(middle)!.origin < origin) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  head(): LiveRun | undefined {
    dropDead(this.arrivals);
    let back = this.returned.first();
    while (back !== undefined && !isQueued(back)) {
      setListed(this.returned.pop()!, false);
      back = this.returned.first();
    }
    const first = this.arrivals.first();
    return back === undefined || (first !== undefined && first.origin < back.origin) ? first : back;
  }
}

/** Highest priority first, then oldest. Runs that leave other than by `pop` stay listed until they are met: nothing is searched for. */
export class ReadyQueue {
  readonly #levels: (Level | undefined)[] = [];
  readonly isLimited = false;
  readonly needs = undefined;
  #listed = 0;

  /** `queued`: how many runs of the task really are queued. The list is swept when it has more than twice as many. */
  push(run: LiveRun, priority: number, queued: number): void {
    if (isListed(run)) return;
    setListed(run, true);
    this.#levels[priority] ??= new Level();
    const level = this.#levels[priority]!;
    const last = level.arrivals.last();
    if (last === undefined || last.origin < run.origin) level.arrivals.push(run);
    else level.returned.push(run);
    if (++this.#listed > 2 * queued + 1024) this.#sweep();
  }
  /** The first run; undefined if there is none. Changes nothing. */
  first(): LiveRun | undefined {
    for (let priority = this.#levels.length - 1; priority >= 0; priority--) {
      const run = this.#levels[priority]?.first();
      if (run !== undefined) return run;
    }
    return undefined;
  }
  /** Like {@link ReadyQueue.first}, but drops what is no longer queued, and notes the priority for `pop`. */
  head(): LiveRun | undefined {
    for (let priority = this.#levels.length - 1; priority >= 0; priority--) {
      const run = this.#levels[priority]?.head();
      if (run !== undefined) {
        this.headPriority = priority;
        return run;
      }
    }
    return undefined;
  }
  /** Whether this many runs may be queued here. Those that left other than by `pop` still count. */
  mayHold(count: number): boolean {
    return this.#listed >= count;
  }
  /** All queued runs, in no order. */
  *queued(): Iterable<LiveRun> {
    for (const level of this.#levels) if (level !== undefined) yield* level.queued();
  }
  /** Takes all queued runs, oldest first, and leaves the queue empty. */
  takeAll(): LiveRun[] {
    const runs = [...this.queued()].sort((a, b) => a.origin - b.origin);
    for (const level of this.#levels) {
      for (const run of level?.listed() ?? []) setListed(run, false);
    }
    this.#levels.length = 0;
    this.#listed = 0;
    return runs;
  }
  /** The place of a queued run, from 1. Beyond the first thousand, runs that left other than by `pop` may still count. */
  positionOf(run: LiveRun): number {
    let before = 0;
    for (let priority = this.#levels.length - 1; priority >= 0; priority--) {
      const level = this.#levels[priority];
      if (level === undefined) continue;
      if (level.holds(run)) return before + level.countBefore(run.origin) + 1;
      before += level.countBefore(Number.POSITIVE_INFINITY);
    }
    return before + 1;
  }
  /** Set by `head`. */
  headPriority = 0;

  /** Takes the run that `head` returned last. */
  pop(): undefined {
    const level = this.#levels[this.headPriority]!;
    const run = level.head()!;
    if (level.arrivals.first() === run) level.arrivals.shift();
    else level.returned.pop();
    setListed(run, false);
    this.#listed--;
  }
  #sweep(): void {
    this.#listed = 0;
    const keep = (run: LiveRun): boolean => {
      setListed(run, isQueued(run));
      return isListed(run);
    };
    for (const level of this.#levels) {
      if (level === undefined) continue;
      level.arrivals.prune(keep);
      level.returned.prune(keep);
      this.#listed += level.arrivals.size + level.returned.size;
    }
  }
}

function dropDead(runs: Deque<LiveRun>): void {
  for (let run = runs.first(); run !== undefined && !isQueued(run); run = runs.first()) {
    runs.shift();
    setListed(run, false);
  }
}
