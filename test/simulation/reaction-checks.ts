import { taskOf } from "../../src/domain/run.ts";
import type { Command } from "../../src/matching/commands.ts";
import type { LogEntry } from "./model-stream.ts";
import type { ReferenceFold } from "./reference-fold.ts";
import type { World } from "./world.ts";

/** The task that handles the failures of others; no client creates its runs. */
export const handlerTask = "sweep";

interface Failure {
  readonly task: string;
  readonly seq: number;
  /** Whoever led then, or leads later, knew of the handler. */
  readonly isOwed: boolean;
}

/** Each failure is handled once and each tick fired once, by whichever leaders, whatever they did not live to hear. */
export class ReactionChecks {
  readonly #world: World;
  /** By key of the run that handles them: those that no such run has come after. */
  readonly #failures = new Map<string, Failure[]>();
  readonly #ticks = new Set<string>();
  /** Of the runs that leaders created. */
  readonly recent: string[] = [];
  handled = 0;

  constructor(world: World) {
    this.#world = world;
  }
  get ticks(): number {
    return this.#ticks.size;
  }
  /** Called with each entry of the log, once the rules have been applied to it. */
  onEntry(entry: LogEntry, reference: ReferenceFold): void {
    if (!this.#world.climate.hasReactions) return;
    if (entry.type === "outcomes") {
      for (const { key, kind, origin } of entry.outcomes)
        if (kind === "erased") this.#onErased(key);
        else if (kind === "failed" && reference.keys.get(key)?.finished?.seq === entry.seq)
          this.#onFailed(key, entry.seq, reference, reference.accepted.has(`${key}@${origin}`));
    } else if (entry.type === "entry" && entry.task === handlerTask) {
      const key = `${handlerTask}/${entry.id}`;
      if (reference.keys.get(key)?.origin !== entry.seq) return; // moved, or a duplicate
      this.recent.push(key);
      if (this.recent.length > 40) this.recent.shift();
      if (entry.id.startsWith("often:")) this.#onTick(key);
      else this.#onHandled(key);
    }
  }
  /** What caused them is there as long as they are owed. */
  onReact({ reaction: { cause } }: Extract<Command, { type: "react" }>): void {
    if (cause.type !== "failure") return;
    const known = this.#world.checks.reference.keys.get(cause.key);
    if (known?.isErased === true) return;
    if (!this.#world.stream.stored.some(({ seq }) => seq === cause.seq || seq === known?.finished?.seq))
      throw new Error(`the failure of ${cause.key} at ${cause.seq} was purged before it was handled`);
  }
  afterHealing(): void {
    for (const [key, failures] of this.#failures)
      for (const { task, seq, isOwed } of failures)
        if (isOwed && this.#isDeclared(task, seq)) throw new Error(`${key} does not exist; it failed at ${seq}`);
    for (const { record } of this.#world.stored.crons.values())
      if (record.firing !== undefined) throw new Error(`${record.name} has claimed ticks that nobody fires`);
  }
  /** A leader that knew of no handler may have stored it for what came later. */
  #isDeclared(task: string, seq: number): boolean {
    return seq > (this.#world.stored.handlers.get(task)?.from ?? Number.POSITIVE_INFINITY);
  }
  /** `isExplained`: its run was live. A zombie's failure of a run that was forgotten is like one whose entry was purged: the next leader handles it. */
  #onFailed(key: string, seq: number, reference: ReferenceFold, isExplained: boolean): void {
    const task = taskOf(key);
    if (task === handlerTask) return;
    const handling = `${handlerTask}/${key.replace("/", ":")}`;
    // What is live or remembered under that id is as good: the failed run had the id of one that was handled.
    const isOwed = isExplained && this.#isDeclared(task, seq) && !reference.keys.has(handling);
    this.#failures.set(handling, [...(this.#failures.get(handling) ?? []), { task, seq, isOwed }]);
  }
  /** Nobody can tell its handler what happened. */
  #onErased(key: string): void {
    const handling = `${handlerTask}/${key.replace("/", ":")}`;
    const failures = this.#failures.get(handling);
    if (failures !== undefined)
      this.#failures.set(
        handling,
        failures.map((failure) => ({ ...failure, isOwed: false })),
      );
  }
  #onHandled(key: string): void {
    if (this.#failures.get(key) === undefined)
      throw new Error(`${key} handles nothing, or something for the second time`);
    this.#failures.delete(key);
    this.handled++;
  }
  #onTick(key: string): void {
    if (this.#ticks.has(key)) throw new Error(`${key} was fired twice`);
    this.#ticks.add(key);
  }
}
