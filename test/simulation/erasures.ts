import { originIn } from "../../src/domain/origin.ts";
import { keyOf } from "../../src/domain/run.ts";
import type { FoldedEntry } from "../../src/fold/log-events.ts";
import { isOf, type Origins } from "../../src/housekeeping/erasure.ts";
import { type EraseDeed, Erasing, type OutcomesInPlace } from "../../src/requests/erasing.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { LogEntry, ModelStream } from "./model-stream.ts";
import type { Random } from "./random.ts";

type Deed = EraseDeed<OutcomesInPlace>;
interface Open {
  readonly engine: ModelEngine;
  readonly state: object;
  readonly work: ReturnType<Erasing<OutcomesInPlace>["erase"]>;
  /** Decided, and not done yet. */
  next: Deed | undefined;
  /** Where the log ended when nothing was found last. */
  cleanUpTo: number;
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

/** Erases runs in the order that the product decides: anything may happen before each deed, the death of the engine too. */
export class Erasures {
  readonly #world: World;
  #open: Open[] = [];
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
      this.#begin(engine, [...leadership.house.remains]);
    }
    const engine = this.#world.aLeader();
    if (engine !== undefined && !this.#isBusy(engine) && random.chance(0.05)) {
      engine.read(Number.POSITIVE_INFINITY, now);
      const ended = [...engine.state.finished.keys()];
      if (ended.length > 0)
        this.#begin(engine, [random.pick(ended), ...(random.chance(0.3) ? [random.pick(ended)] : [])]);
    }
    if (this.#open.length > 0 && random.chance(0.6)) this.#go(random.pick(this.#open));
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
    const { state } = engine;
    if (keys.length === 0 || state.leadership === undefined) return;
    const work = new Erasing(state.leadership.house).erase([...new Set(keys)]);
    this.#open.push({ engine, state, work, next: work.next().value as Deed, cleanUpTo: 0 });
  }
  #go(open: Open): void {
    if (!this.#isOver(open) && this.#continue(open)) return;
    this.#open = this.#open.filter((other) => other !== open);
  }
  #isOver({ engine, state }: Open): boolean {
    return !engine.isAlive || engine.state !== state || !engine.state.isLeading || engine.deposedAt !== undefined;
  }
  /** Up to the next deed that does something; what is read tells the truth at once. False when it is done, or gives up. */
  #continue(open: Open): boolean {
    try {
      do {
        const answer = this.#perform(open, open.next!);
        if (this.#isOver(open)) return false;
        const { value, done } = open.work.next(answer);
        if (done === true) this.finished += value.erased.length;
        open.next = done === true ? undefined : value;
      } while (open.next?.type === "find" || (open.next?.type === "fold" && !open.next.pauses));
    } catch (error) {
      if (!/again$/.test(String(error))) throw error;
      return false;
    }
    return open.next !== undefined;
  }
  #perform(open: Open, deed: Deed): readonly OutcomesInPlace[] | undefined {
    const { stream, now } = this.#world;
    const { engine } = open;
    if (deed.type === "fold") engine.read(Number.POSITIVE_INFINITY, now);
    else if (deed.type === "give") engine.give(deed.event, now);
    else if (deed.type === "find") {
      open.cleanUpTo = stream.lastSeq;
      return this.#entriesOf(deed.origins);
    } else if (deed.type === "rewrite") stream.rewriteOutcomes(deed.entry.seq, deed.rest);
    else {
      this.#isGone(deed.key, deed.origin, open.cleanUpTo);
      this.#world.eraseRest?.(engine, deed.key, deed.origin);
    }
    return undefined;
  }
  #isGone(key: string, origin: number, upTo: number): void {
    const name = `${key}@${origin}`;
    this.#gone.set(name, Math.max(upTo, this.#gone.get(name) ?? 0));
  }
  /** A leader stores that nothing is left up to there, also of what its predecessors had begun to erase. */
  onStored({ state: { fold } }: ModelEngine, upTo: number): void {
    for (const [key, seq] of fold.remains) {
      const run = fold.finished.get(key);
      if (run !== undefined && seq <= upTo) this.#isGone(key, run.origin, upTo);
    }
  }
  #entriesOf(origins: Origins): OutcomesInPlace[] {
    return this.#world.stream.stored.flatMap((entry) =>
      entry.type === "outcomes" && entry.outcomes.some((outcome) => isOf(origins, outcome))
        ? [{ seq: entry.seq, isByEngine: entry.by === "engine", outcomes: entry.outcomes }]
        : [],
    );
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
