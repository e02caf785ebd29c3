// The children that a lap has opened. It stores them, and hears from the log itself when they complete so soon that their parent need not be
// parked. Only a completion is used in this way, because nothing can replace it. For any other end, the run is parked and the leader offers it.
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
  /** Until when the run waits for these children in its slot; infinite until they are stored. Units: epoch milliseconds */
  until: number;
  stop: () => void;
}

/** How long a run waits for its children without being parked. Not for long: they may need the slot that it holds. Units: milliseconds */
const awakeMs = 20;
/** Larger groups are not watched: the outcome of each watched child is sent a second time, to this worker. */
const mostWatched = 16;

interface TurnOfChildren extends TurnParts {
  /** The children could not be stored now. */
  refused(error: unknown): void;
}

export class AwakeChildren {
  readonly #turn: TurnOfChildren;
  readonly #lap: number;
  readonly #ended: EndedOps;
  /** Called when children are stored, when all of a group have completed, or when no more will be heard of a group. */
  readonly #onNews: () => void;
  readonly #quick: QuickChildren;
  /** How many groups are being stored. */
  #creating = 0;
  /** The watched groups, by the ordinal of their op. */
  readonly #groups = new Map<number, Watched>();

  constructor(turn: TurnOfChildren, lap: number, ended: EndedOps, onNews: () => void) {
    this.#turn = turn;
    this.#lap = lap;
    this.#ended = ended;
    this.#onNews = onNews;
    this.#quick = turn.host.quick ?? new Map();
  }

  /** Whether children are being stored. */
  get areNew(): boolean {
    return this.#creating > 0;
  }

  /** Stores the children of an op, unless they were stored before the run was parked. */
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
    // Too large: a retry would be refused as well.
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

  /** The results of groups whose children have all completed. */
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

  /** How long it is worth waiting before the run is parked; not positive if it waits for anything but watched children. Units: milliseconds */
  timeFor(frame: Frame): number {
    let until = Number.POSITIVE_INFINITY;
    for (const { ordinal } of openWaits(frame)) until = Math.min(until, this.#groups.get(ordinal)?.until ?? 0);
    return until - this.#turn.host.clock.now();
  }

  /** Notes from an offer of the leader how soon the children of a task end: next time it may be worth waiting. `openedAt` 0: unknown. */
  learn({ name, time }: Delivery, openedAt: number): void {
    if (openedAt > 0) this.#quick.set(name, time - openedAt <= awakeMs);
  }

  /** Ends the watching of all groups, because the turn is over. */
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
