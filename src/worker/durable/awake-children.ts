// Children that end so soon that their parent need not be parked: the log tells their worker itself. Only such as have completed, since that
// is final whatever follows; for any other end the run parks, and the leader offers it.
import type { Delivery } from "../../wire/journal-message.ts";
import type { ChildGroup, ChildResult, Children, SoonEnd } from "./children.ts";
import type { Frame } from "./frame.ts";
import type { StepClock } from "./step-clock.ts";
import { openWaits } from "./waits.ts";

/** By task, whether its children ended this soon when last waited for. */
export type QuickChildren = Map<string, boolean>;

interface AwakeParts {
  readonly children: Children;
  readonly quick: QuickChildren;
  readonly clock: StepClock;
  /** All children of a group have completed. */
  readonly onNews: () => void;
}

interface Watched {
  readonly task: string;
  readonly results: ChildResult[];
  left: number;
  time: number;
  sequence: number;
  /** Infinite until its children are stored. Units: epoch milliseconds */
  until: number;
  stop: () => void;
}

/** The slot is held meanwhile, and these children may need it. Units: milliseconds */
const awakeMs = 20;
/** Their outcomes are sent once more, to this worker. */
const mostWatched = 16;

export class AwakeChildren {
  readonly #parts: AwakeParts;
  /** By the ordinal of their op. */
  readonly #groups = new Map<number, Watched>();

  constructor(parts: AwakeParts) {
    this.#parts = parts;
  }

  /** Stores the children of a group. Fails: as {@link Children.create} */
  async create(group: ChildGroup): Promise<void> {
    const { children, quick, clock } = this.#parts;
    const { task, inputs, ordinal } = group;
    if (children.watch === undefined || inputs.length > mostWatched || quick.get(task) === false)
      return children.create(group);
    const nothing = { time: 0, sequence: 0, until: Number.POSITIVE_INFINITY, stop: () => {} };
    const watched: Watched = { ...nothing, task, results: [], left: inputs.length };
    this.#groups.set(ordinal, watched);
    watched.stop = children.watch(group, (place, end) => this.#heard(ordinal, place, end));
    await children.create(group, true);
    watched.until = clock.now() + awakeMs;
  }

  /** What the code can be given: groups whose children have all completed. */
  take(frame: Frame): readonly Delivery[] {
    const deliveries: Delivery[] = [];
    for (const [at, { task, results, left, time, sequence }] of this.#groups) {
      const op = left === 0 ? frame.opAt(at) : undefined;
      if (op?.state !== "open") continue;
      this.#drop(at);
      this.#parts.quick.set(task, true);
      deliveries.push(op.end({ form: "value", time, sequence, value: JSON.stringify(results) }));
    }
    return deliveries;
  }

  /** How long it is worth waiting, where nothing else is waited for. Units: milliseconds */
  timeFor(frame: Frame): number {
    let until = Number.POSITIVE_INFINITY;
    for (const { ordinal } of openWaits(frame)) until = Math.min(until, this.#groups.get(ordinal)?.until ?? 0);
    return until - this.#parts.clock.now();
  }

  /** The leader has offered their end: next time it may be worth waiting. `openedAt` 0: unknown. */
  learn({ name, time }: Delivery, openedAt: number): void {
    if (openedAt > 0) this.#parts.quick.set(name, time - openedAt <= awakeMs);
  }

  /** The turn is over. */
  stop(): void {
    for (const [ordinal, { task, until }] of this.#groups) {
      if (until <= this.#parts.clock.now()) this.#parts.quick.set(task, false);
      this.#drop(ordinal);
    }
  }

  #heard(ordinal: number, place: number, end: SoonEnd): void {
    const watched = this.#groups.get(ordinal);
    if (watched === undefined) return;
    if (end === undefined) this.#drop(ordinal);
    else {
      watched.left -= watched.results[place] === undefined ? 1 : 0;
      watched.results[place] = end.result;
      watched.time = Math.max(watched.time, end.time);
      watched.sequence = Math.max(watched.sequence, end.sequence);
    }
    if (end === undefined || watched.left === 0) this.#parts.onNews();
  }

  #drop(ordinal: number): void {
    this.#groups.get(ordinal)?.stop();
    this.#groups.delete(ordinal);
  }
}
