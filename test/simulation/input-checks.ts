import { entryOfOrigin } from "../../src/domain/origin.ts";
import type { FoldedEntry } from "../../src/fold/log-events.ts";
import type { Command } from "../../src/matching/commands.ts";
import type { Scheduler } from "../../src/scheduler/scheduler.ts";
import { isLarge } from "../../src/wire/carried-input.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { ReferenceFold } from "./reference-fold.ts";
import type { World } from "./world.ts";

/** What an outcome does not repeat is there: the entry of each finished run with a large input stays until some leader forgets the run. */
export class InputChecks {
  readonly #world: World;
  /** `key@origin` of the runs whose entries a leader was allowed to remove. */
  readonly #givenUp = new Set<string>();
  moved = 0;

  constructor(world: World) {
    this.#world = world;
  }
  onCommands({ state }: ModelEngine, commands: readonly Command[]): void {
    for (const command of commands)
      if (command.type === "compact")
        this.moved += command.runs.filter(({ inputSeq, entry }) => inputSeq > 0 && entry.form === 2).length;
    for (const { key, origin, inputStays, lastOutcome } of state.finished.values())
      if (inputStays && state.leadership?.house.retention.isForgetting(lastOutcome) === true)
        this.#givenUp.add(`${key}@${origin}`);
  }
  afterStep(reference: ReferenceFold, folds: readonly Scheduler[]): void {
    const { ids, engines } = this.#world;
    const states = [...folds, ...engines.filter((e) => e.isAlive && e.isCaughtUp).map((e) => e.state)];
    for (const key of ids) {
      const known = reference.keys.get(key);
      if (known?.finished === undefined || !known.isLarge) continue;
      if (this.#givenUp.has(`${key}@${known.origin}`)) continue;
      this.#checkInput(key, known.origin, states);
    }
    for (const state of states) {
      checkCounts(state);
      for (const { key, origin, holdsInput } of state.finished.values())
        if (holdsInput && this.#world.stream.singleOf(key) !== undefined) this.#checkInput(key, origin, []);
    }
  }
  /** What is forgotten leaves no large entry behind, but for one that is to go with the next mark. */
  afterHealing(reference: ReferenceFold): void {
    for (const stored of this.#world.stream.stored) {
      if (stored.type !== "entry" || !hasLargeInput(stored.entry)) continue;
      const key = `${stored.task}/${stored.id}`;
      const isKnown = this.#world.leaders.every(({ state }) => state.fold.leftovers.has(key));
      if (reference.describe(key) === "unknown" && !isKnown)
        throw new Error(`the large entry of ${key} was left behind`);
    }
  }
  #checkInput(key: string, origin: number, states: readonly Scheduler[]): void {
    const { stream } = this.#world;
    const first = stream.history[entryOfOrigin(origin) - 1];
    const entry = stream.singleOf(key);
    if (entry === undefined) throw new Error(`the entry of ${key} is gone, and its input with it`);
    if (first?.type !== "entry" || entry.entry.input !== first.entry.input)
      throw new Error(`the entry of ${key} at ${entry.seq} does not hold its input`);
    for (const { finished } of states) {
      const run = finished.get(key);
      if (run?.entrySeq !== entry.seq || !run.holdsInput)
        throw new Error(`an engine looks for the input of ${key} at ${run?.entrySeq}, it is at ${entry.seq}`);
    }
  }
}

const hasLargeInput = ({ input }: FoldedEntry): boolean => input !== undefined && isLarge(input);

/** Garbage is collected by these. */
function checkCounts(state: Scheduler): void {
  for (const { name, entries } of state.fold.tasks.values()) {
    const runs = [...state.finished.values()].filter(({ task, entrySeq }) => task === name && entrySeq > 0);
    const kept = runs.filter(({ isCompacted, holdsInput }) => isCompacted || holdsInput).length;
    if (entries.kept !== kept || entries.garbage !== runs.length - kept)
      throw new Error(
        `${name} counts ${entries.kept} kept and ${entries.garbage} garbage of ${kept} and ${runs.length - kept}`,
      );
  }
}
