// Children that a lap has opened: they are stored, and of those that end so soon that their parent need not be parked, the log tells their
// worker itself. Only such as have completed, since that is final whatever follows; for any other end the run parks, and the leader offers it.
import { readProperty } from "../../domain/thrown.ts";
import type { Delivery } from "../../wire/journal-message.ts";
import type { ChildGroup, ChildResult, SoonEnd } from "./children.ts";
import type { EndedOps } from "./ended-ops.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import { encodeError } from "./stored-error.ts";
import type { QuickChildren } from "./turn-host.ts";
import type { TurnParts } from "./turn-parts.ts";
import { openWaits } from "./waits.ts";

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

interface TurnOfChildren extends TurnParts {
  /** They could not be stored now. */
  refused(error: unknown): void;
}

export class AwakeChildren {
  readonly #turn: TurnOfChildren;
  readonly #lap: number;
  readonly #ended: EndedOps;
  /** Children are stored, or all of a group have completed. */
  readonly #onNews: () => void;
  readonly #quick: QuickChildren;
  /** Groups on their way to the log. */
  #creating = 0;
  /** By the ordinal of their op. */
  readonly #groups = new Map<number, Watched>();

  constructor(turn: TurnOfChildren, lap: number, ended: EndedOps, onNews: () => void) {
    this.#turn = turn;
    this.#lap = lap;
    this.#ended = ended;
    this.#onNews = onNews;
    this.#quick = turn.host.quick ?? new Map();
  }

  /** Children are on their way to the log. */
  get areNew(): boolean {
    return this.#creating > 0;
  }

  /** Stores the children of an op, unless they were when the run was parked. */
  open(op: Op): void {
    const { host, given } = this.#turn;
    const parked = given.resume?.parked;
    if (parked?.lap === this.#lap && op.ordinal < parked.ops) return;
    op.openedAt = host.clock.now();
    this.#creating += 1;
    const created = this.#create(op).finally(() => {
      this.#creating -= 1;
    });
    created.then(this.#onNews, (error) => this.#notCreated(op, error));
  }

  #notCreated(op: Op, error: unknown): void {
    // A retry would only be refused again.
    if (readProperty(error, "name") === "PayloadTooLarge") this.#ended.add(op, "error", encodeError(error));
    else this.#turn.refused(error);
  }

  async #create({ name: task, ordinal, detail }: Op): Promise<void> {
    const { children } = this.#turn.given;
    const { inputs = [], atOnce } = detail;
    const group: ChildGroup = { task, lap: this.#lap, ordinal, inputs, atOnce };
    if (children.watch === undefined || inputs.length > mostWatched || this.#quick.get(task) === false)
      return children.create(group);
    const nothing = { time: 0, sequence: 0, until: Number.POSITIVE_INFINITY, stop: () => {} };
    const watched: Watched = { ...nothing, task, results: [], left: inputs.length };
    this.#groups.set(ordinal, watched);
    watched.stop = children.watch(group, (place, end) => this.#heard(ordinal, place, end));
    await children.create(group, true);
    watched.until = this.#turn.host.clock.now() + awakeMs;
  }

  /** What the code can be given: groups whose children have all completed. */
  take(frame: Frame): readonly Delivery[] {
    const deliveries: Delivery[] = [];
    for (const [at, { task, results, left, time, sequence }] of this.#groups) {
      const op = left === 0 ? frame.ops.at(at) : undefined;
      if (op?.state !== "open") continue;
      this.#drop(at);
      this.#quick.set(task, true);
      deliveries.push(op.end({ form: "value", time, sequence, value: JSON.stringify(results) }));
    }
    return deliveries;
  }

  /** How long it is worth waiting, where nothing else is waited for. Units: milliseconds */
  timeFor(frame: Frame): number {
    let until = Number.POSITIVE_INFINITY;
    for (const { ordinal } of openWaits(frame)) until = Math.min(until, this.#groups.get(ordinal)?.until ?? 0);
    return until - this.#turn.host.clock.now();
  }

  /** The leader has offered their end: next time it may be worth waiting. `openedAt` 0: unknown. */
  learn({ name, time }: Delivery, openedAt: number): void {
    if (openedAt > 0) this.#quick.set(name, time - openedAt <= awakeMs);
  }

  /** The turn is over. */
  stop(): void {
    for (const [ordinal, { task, until }] of this.#groups) {
      if (until <= this.#turn.host.clock.now()) this.#quick.set(task, false);
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
    if (end === undefined || watched.left === 0) this.#onNews();
  }

  #drop(ordinal: number): void {
    this.#groups.get(ordinal)?.stop();
    this.#groups.delete(ordinal);
  }
}
