import { keyOf } from "../../../src/domain/run.ts";
import { compactLive } from "../../../src/housekeeping/compaction.ts";
import type { Command } from "../../../src/matching/commands.ts";
import type { ModelEngine } from "../model-engine.ts";
import type { FlowWorld } from "./flow-world.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/** Carries out what engines say, in their order or not, and now and then without an answer. */
export class FlowDeeds {
  readonly #world: FlowWorld;

  constructor(world: FlowWorld) {
    this.#world = world;
  }
  carryOutOne(): void {
    const { random, engines } = this.#world;
    const busy = engines.filter(({ outbox }) => outbox.length > 0);
    if (busy.length === 0) return;
    const engine = random.pick(busy);
    const [command] = engine.outbox.splice(random.chance(0.2) ? random.int(engine.outbox.length) : 0, 1);
    this.#execute(engine, command!);
  }
  carryOutAll(engine: ModelEngine): void {
    for (let next = engine.outbox.shift(); next !== undefined; next = engine.outbox.shift())
      this.#execute(engine, next);
  }
  /** A leader moves the entry of a live run to the tail, as it does with those that stand in the way of much garbage. */
  moveOne(): void {
    const { random, leaders } = this.#world;
    if (leaders.length === 0) return;
    const engine = random.pick(leaders);
    const { house } = engine.state.leadership!;
    const live = [...engine.state.live.values()];
    if (live.length === 0 || !engine.state.fold.isWhole) return;
    const { commands } = house.step;
    const from = commands.length;
    live.sort((a, b) => b.seq - a.seq);
    const others = Math.min(...leaders.map(({ state }) => state.position));
    const unread = live.filter(({ seq }) => seq > others);
    const parents = unread.filter(({ origin }) => engine.state.fold.families.get(origin) !== undefined);
    const newest = parents.length > 0 ? parents : unread.length > 0 ? unread : live.slice(0, 3);
    compactLive(house, random.pick(random.chance(0.7) ? newest : live));
    const moved = commands.splice(from);
    // Some at once: an entry that another engine has not read is gone from where it stood.
    if (random.chance(0.5)) for (const command of moved) this.#execute(engine, command);
    else engine.outbox.push(...moved);
  }
  /** Their engine is dead or leads no more: some were on their way. */
  abandon(commands: readonly Command[], epoch: number): void {
    const { random } = this.#world;
    for (const command of commands) {
      if (!random.chance(0.3)) continue;
      if (command.type === "append") this.#append(command, epoch);
      else if (command.type === "compact") this.#compact(command);
    }
  }
  #execute(engine: ModelEngine, command: Command): void {
    const { now, stream, random, isHealed } = this.#world;
    if (command.type === "append") this.#append(command, engine.state.epoch);
    else if (command.type === "compact") {
      const { task, name, expectSeq } = command;
      if (!this.#compact(command)) engine.give({ type: "compactionRefused", task, name, expectSeq }, now);
    } else if (command.type === "purge") {
      stream.purge(command.filter, command.keepFrom);
      if (isHealed || !random.chance(0.05))
        engine.give({ type: "purged", filter: command.filter, keepFrom: command.keepFrom }, now);
      else engine.crash();
    } else if (command.type === "assign") this.#assign(engine, command);
    else if (command.type === "cancelOn") this.#stop(command);
    else if (command.type === "purgeJournal") this.#purgeJournal(command);
    else if (command.type === "sweep") this.#sweep(engine);
    else if (command.type === "askForEnd") engine.askForEnd(command.gaps, now, now);
  }
  #purgeJournal({ key, origin }: CommandOf<"purgeJournal">): void {
    this.#world.checks.onJournalPurged(key, origin);
    this.#world.journals.purge(origin);
  }
  #sweep(engine: ModelEngine): void {
    const { stream, journals, now } = this.#world;
    const stored = stream.stored.flatMap((entry) => (entry.type === "signal" ? [entry] : []));
    const signals = stored.map(({ task, id, name }) => ({ key: keyOf(task, id), name }));
    engine.give({ type: "swept", signals, journals: journals.names }, now);
  }
  #append({ outcomes }: CommandOf<"append">, epoch: number): void {
    this.#world.checks.onEngineOutcomes(outcomes);
    this.#world.stream.writeOutcomes("engine", `e${epoch}`, outcomes);
  }
  #compact({ name, expectSeq, runs }: CommandOf<"compact">): boolean {
    const [run] = runs;
    const { resultAt, entry, key } = run!;
    if (resultAt === undefined) return this.#world.stream.writeEntry(name, expectSeq, entry);
    const end = "entrySeq" in resultAt ? { seq: resultAt.entrySeq, index: -1 } : resultAt;
    const result = this.#world.readResult(key, end);
    if (result === undefined) return false; // it cannot carry what it cannot read
    return this.#world.stream.writeEntry(name, expectSeq, { ...entry, input: new TextEncoder().encode(result) });
  }
  #assign(engine: ModelEngine, { worker, batch, runs, resumes }: CommandOf<"assign">): void {
    const { staff, random, isHealed, now } = this.#world;
    const isTaken = runs.map((run) => {
      const { key, task, origin, turn, createdAt } = run;
      return staff.take(worker, { key, task, origin, turn, createdAt, resume: resumes?.get(run) });
    });
    if (isTaken.every(Boolean) && (isHealed || !random.chance(0.04)))
      engine.give({ type: "assigned", id: worker, batch, refused: [] }, now);
    else engine.give({ type: "unacknowledged", id: worker, batch }, now);
  }
  #stop({ runs }: CommandOf<"cancelOn">): void {
    const { staff, random, isHealed } = this.#world;
    for (const { kind, origin, turn, seq, at } of runs)
      for (const attempt of staff.attempts) {
        if (attempt.origin !== origin || attempt.turn !== turn) continue;
        if (kind === "fence") {
          if (isHealed || random.chance(0.5)) attempt.phase = "gone";
        } else if (seq === undefined) attempt.isStopped = true;
        else attempt.wish ??= { seq, at: at ?? 0 };
      }
  }
}
