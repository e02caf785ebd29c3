import { originIn } from "../../src/domain/origin.ts";
import { keyOf } from "../../src/domain/run.ts";
import type { Fold } from "../../src/fold/fold.ts";
import type { FoldedEntry } from "../../src/fold/log-events.ts";
import {
  isCovered,
  isEntryGone,
  isErasable,
  isGivenUp,
  isMarking,
  isMovable,
  isOf,
  type Origins,
  withoutErased,
} from "../../src/housekeeping/erasure.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { LogEntry, ModelStream } from "./model-stream.ts";
import type { Random } from "./random.ts";

type Work = Generator<undefined, boolean, undefined>;
interface Open {
  readonly engine: ModelEngine;
  readonly state: object;
  readonly work: Work;
}

interface World {
  readonly random: Random;
  readonly now: number;
  readonly stream: ModelStream;
  readonly leaders: ModelEngine[];
  readonly hasErasures: boolean;
  aLeader(): ModelEngine | undefined;
  /** What is left of an erased run besides the log. */
  eraseRest?(engine: ModelEngine, key: string, origin: number): void;
}

/** What an engine does to erase runs, step by step: anything may happen between two of them, its death too. */
export class Erasures {
  readonly #world: World;
  #open: Open[] = [];
  /** Leaders that have looked for what earlier ones had begun. */
  readonly #resumed = new WeakSet<object>();
  /** `key@origin` of those of which nothing may be left, and where the log ended then. */
  readonly #gone = new Map<string, number>();
  finished = 0;

  constructor(world: World) {
    this.#world = world;
  }
  act(): void {
    const { random, leaders, now } = this.#world;
    for (const engine of leaders.filter((one) => !this.#isBusy(one))) {
      const leadership = engine.state.leadership!;
      const { remains } = leadership.house;
      const begun = [...engine.state.finished.values()].filter((run) => run.isErased).map(({ key }) => key);
      if (!this.#resumed.has(leadership)) this.#give(engine, { type: "erase", keys: begun });
      this.#resumed.add(leadership);
      this.#begin(engine, [...remains]);
    }
    const engine = this.#world.aLeader();
    if (engine !== undefined && !this.#isBusy(engine) && random.chance(0.05)) {
      engine.read(Number.POSITIVE_INFINITY, now);
      const ended = [...engine.state.finished.keys()];
      if (ended.length > 0)
        this.#begin(engine, [random.pick(ended), ...(random.chance(0.3) ? [random.pick(ended)] : [])]);
    }
    if (this.#open.length > 0 && random.chance(0.4)) this.#go(random.pick(this.#open));
  }
  finishAll(): void {
    if (this.#world.hasErasures) this.act();
    for (const open of [...this.#open]) this.#go(open);
  }
  /** An engine erases one after the other, and nothing once it does not hold the lease. */
  #isBusy(engine: ModelEngine): boolean {
    return (
      engine.deposedAt !== undefined || this.#open.some((open) => open.engine === engine && open.state === engine.state)
    );
  }
  #begin(engine: ModelEngine, keys: readonly string[]): void {
    if (keys.length === 0) return;
    const unique = [...new Set(keys)];
    this.#open.push({ engine, state: engine.state, work: this.#erase(engine, unique) });
  }
  #go(open: Open): void {
    const { engine, state, work } = open;
    const isOver =
      !engine.isAlive || engine.state !== state || !engine.state.isLeading || engine.deposedAt !== undefined;
    const done = isOver || work.next().done === true;
    if (done) this.#open = this.#open.filter((other) => other !== open);
  }
  *#erase(engine: ModelEngine, keys: readonly string[]): Work {
    this.#read(engine);
    const { finished, leadership } = engine.state;
    if (leadership === undefined) return false; // it has found that it must read again
    const ended = keys.filter((key) => isErasable(leadership.house, finished.get(key)));
    const origins: Origins = new Map(ended.map((key) => [key, finished.get(key)!.origin]));
    this.#give(engine, { type: "erase", keys: ended });
    const isStored = () => ended.every((key) => finished.get(key)?.isErased === true);
    for (let i = 0; i < 20 && !isStored(); i++) {
      yield;
      this.#read(engine);
    }
    if (!isStored()) return false;
    const { house } = engine.state.leadership!;
    for (let i = 0; isMarking(house); i++) {
      if (i === 100) return false;
      yield;
    }
    this.#read(engine);
    if (
      !(yield* this.#untilDone(engine, "erase", ended, isEntryGone, 20)) ||
      !(yield* this.#eraseOutcomes(engine, origins))
    )
      return false;
    for (const [key, origin] of origins) this.#gone.set(`${key}@${origin}`, this.#world.stream.lastSeq);
    if (this.#world.eraseRest !== undefined)
      for (const [key, origin] of origins) {
        this.#world.eraseRest(engine, key, origin);
        yield;
      }
    this.finished += ended.length;
    this.#give(engine, { type: "erased", keys });
    return true;
  }
  *#eraseOutcomes(engine: ModelEngine, origins: Origins): Work {
    const { stream } = this.#world;
    for (let i = 0; i < 10; i++) {
      const found = stream.stored.filter((e) => e.type === "outcomes" && e.outcomes.some((o) => isOf(origins, o)));
      if (found.length === 0) return true;
      this.#read(engine);
      for (const entry of found) {
        if (entry.type !== "outcomes") continue;
        const { seq } = entry;
        const { turns, finals, rest, givesUp } = withoutErased(engine.state.fold, origins, entry.outcomes);
        for (let i = 0; !isGivenUp(engine.state.leadership!.house, givesUp); i++) {
          if (i === 100) return false;
          yield;
        }
        this.#read(engine);
        if (!(yield* this.#untilDone(engine, "cover", turns, (fold, key) => isCovered(fold, key, seq), 10)))
          return false;
        if (!(yield* this.#untilDone(engine, "cover", finals, (fold, key) => isMovable(fold, key, seq), 10)))
          return false;
        stream.rewriteOutcomes(entry.seq, rest);
        yield;
      }
      this.#read(engine);
    }
    return false;
  }
  *#untilDone(
    engine: ModelEngine,
    type: "cover" | "erase",
    keys: readonly string[],
    isDone: (fold: Fold, key: string) => boolean,
    tries: number,
  ): Work {
    for (let i = 0; i < tries; i++) {
      const left = keys.filter((key) => !isDone(engine.state.fold, key));
      if (left.length === 0) return true;
      this.#give(engine, { type, keys: left });
      yield;
      this.#read(engine);
    }
    return false;
  }
  #read(engine: ModelEngine): void {
    engine.read(Number.POSITIVE_INFINITY, this.#world.now);
  }
  #give(engine: ModelEngine, event: SchedulerEvent): void {
    engine.give(event, this.#world.now);
  }

  /** Nothing of what is erased is left but its stone; and what somebody says late goes as well, in time. */
  check(inTheEnd = false): void {
    if (this.#gone.size === 0) return;
    for (const entry of this.#world.stream.stored)
      for (const name of namesIn(entry)) {
        const goneAt = this.#gone.get(name);
        if (goneAt !== undefined && (inTheEnd || entry.seq <= goneAt))
          throw new Error(`${name} is erased since ${goneAt}, and entry ${entry.seq} (${entry.type}) speaks of it`);
      }
  }
}

/** `key@origin` of the runs that an entry says something of. */
function namesIn(entry: LogEntry): string[] {
  if (entry.type === "outcomes")
    return entry.outcomes.filter(({ kind }) => kind !== "erased").map(({ key, origin }) => `${key}@${origin}`);
  if (entry.type === "entry")
    return isStone(entry.entry) ? [] : [nameOf(keyOf(entry.task, entry.id), entry.entry, entry.seq)];
  if (entry.type === "signal") return [];
  return entry.runs
    .map(({ id, entry: run }, i) => (isStone(run) ? "" : nameOf(keyOf(entry.task, id), run, originIn(entry.seq, i))))
    .filter((name) => name !== "");
}

const nameOf = (key: string, { extra }: FoldedEntry, origin: number): string =>
  `${key}@${extra?.state?.origin ?? origin}`;
const isStone = ({ extra, input }: FoldedEntry): boolean =>
  extra?.state !== undefined && "erased" in extra.state && input === undefined && extra.metadata === undefined;
