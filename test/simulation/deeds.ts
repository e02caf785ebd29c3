import { entryOfOrigin } from "../../src/domain/origin.ts";
import { splitKey } from "../../src/domain/run.ts";
import type { Command, PurgeFilter } from "../../src/matching/commands.ts";
import { isDue } from "../../src/presence/assigned.ts";
import type { ModelEngine } from "./model-engine.ts";
import { type Assigned, type ModelWorker, snapshotOf } from "./model-worker.ts";
import type { World } from "./world.ts";

/** The engine takes back what is not acknowledged in two seconds; so a worker does not begin what was on its way for longer than this. */
const freshMs = 1_800;

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/** Carries out what the engines were told to do, when the world lets it. */
export class Deeds {
  readonly #world: World;
  readonly #appended = new WeakSet<Command>();
  failed = 0;

  constructor(world: World) {
    this.#world = world;
  }
  /** One command of some engine; in a rough world not always the oldest. */
  carryOutOne(): void {
    const { engines, random, isRough } = this.#world;
    const busy = engines.filter((e) => e.outbox.length > 0);
    if (busy.length === 0) return;
    const engine = random.pick(busy);
    const index = isRough && random.chance(0.2) ? random.int(engine.outbox.length) : 0;
    const [command] = engine.outbox.splice(index, 1);
    if (this.#fails(engine, command!)) return;
    this.execute(engine, command!);
  }
  /** The store refuses for now, and is asked again; or it does what it is asked, and nobody hears of that before it is asked again. */
  #fails(engine: ModelEngine, command: Command): boolean {
    const { climate, random, isHealed } = this.#world;
    if (this.#isPutOff(command)) {
      engine.outbox.push(command);
      return true;
    }
    if (!climate.isStoreWeak || isHealed || !isWrite(command) || !random.chance(0.15)) return false;
    if (random.chance(0.3)) this.#land(engine, command, engine.state.epoch);
    engine.outbox.push(command);
    this.failed++;
    return true;
  }
  /** So that retention has the time to forget what it must not. */
  #isPutOff({ type }: Command): boolean {
    const { random, isHealed } = this.#world;
    return type === "react" && !isHealed && random.chance(0.9);
  }
  /** Its engine is dead, or does not lead any more: nobody sends these again, and some were sent before. */
  abandon(engine: ModelEngine, commands: readonly Command[], epoch: number): void {
    const { climate, random, isHealed, lateWrites, processes, now } = this.#world;
    for (const command of commands) if (command.type === "append") processes.forget(command.outcomes);
    if (!climate.isStoreWeak || isHealed) return;
    const since = engine.deposedAt ?? now;
    for (const command of commands) {
      if (!isWrite(command) || !random.chance(0.4)) continue;
      if (command.type === "append") lateWrites.carry(command.outcomes);
      lateWrites.send(since, () => this.#land(engine, command, epoch));
    }
  }
  /** The store does it; its answer reaches nobody. */
  #land(engine: ModelEngine, command: Command, epoch: number): void {
    const { stream, stored } = this.#world;
    if (command.type === "append") this.#append(command, epoch);
    else if (command.type === "compact") this.#write(engine, command);
    else if (command.type === "purge") stream.purge(command.filter, command.keepFrom);
    else if (command.type === "storeRates") stored.writeRates(engine, command, epoch);
    else if (command.type === "react") this.#create(command);
    else if (command.type === "storeCron") stored.storeCron(command);
    else if (command.type === "storeHandled") stored.storeHandled(command.upTo, epoch);
    else if (command.type === "storeErased") stored.storeErased(command.upTo, epoch);
  }
  /** What is put off stays where a crash finds it. */
  carryOutAll(engine: ModelEngine): void {
    for (let passed = 0; passed < engine.outbox.length; ) {
      if (this.#isPutOff(engine.outbox[passed]!)) passed++;
      else this.execute(engine, engine.outbox.splice(passed, 1)[0]!);
    }
  }
  execute(engine: ModelEngine, command: Command): void {
    const { stored, now } = this.#world;
    if (command.type === "append") this.#append(command, engine.state.epoch);
    else if (command.type === "compact") this.#compact(engine, command);
    else if (command.type === "purge") this.#purge(engine, command.filter, command.keepFrom);
    else if (command.type === "assign") {
      if (command.isNoted !== true || this.#note(engine)) this.#assignIfDue(engine, command);
    } else if (command.type === "storeTried") this.#storeTried(engine, command);
    else if (command.type === "storeRates") stored.storeRates(engine, command, now);
    else if (command.type === "dropRates") stored.dropRates(engine, command.ids);
    else if (command.type === "cancelOn") this.#cancelOn(command);
    else if (command.type === "askForEnd") this.#askForEnd(engine, command.gaps);
    else this.#executeReaction(engine, command);
  }
  #executeReaction(engine: ModelEngine, command: Command): void {
    const { stored, now, checks } = this.#world;
    if (command.type === "react") {
      if (engine.deposedAt === undefined) checks.reactions.onReact(command);
      this.#create(command);
      engine.give({ type: "reacted", n: command.n }, now);
    } else if (command.type === "storeCron") {
      const { name } = command.record;
      const isOurs = stored.storeCron(command);
      engine.give({ type: "cronWritten", name, isOurs, there: stored.crons.get(name) }, now);
    } else if (command.type === "storeHandled") {
      const { upTo } = command;
      if (stored.storeHandled(upTo, engine.state.epoch)) engine.give({ type: "handledStored", upTo }, now);
    } else if (command.type === "storeErased") {
      this.#world.erasures.onStored(engine, command.upTo);
      stored.storeErased(command.upTo, engine.state.epoch);
    } else if (command.type === "storeFailureHandler") stored.handlers.set(command.task, command.handler!);
  }
  #create({ reaction: { task, id } }: CommandOf<"react">): void {
    const { stream, now } = this.#world;
    stream.writeEntry(`${task}/${id}`, 0, {
      ...{ form: 0, priority: 0, createdAt: now, dueAt: 0, scheduleTimeoutMs: null, inbox: "", extra: undefined },
    });
  }
  /** In which term a newer leader was found to have written. */
  readonly #refusedIn = new WeakMap<object, number>();
  #storeTried({ state }: ModelEngine, command: CommandOf<"storeTried">): void {
    if (!this.#world.stored.storeTried(command, state.epoch)) this.#refusedIn.set(state, state.epoch);
  }
  /** What was to be stored before is. */
  #note(engine: ModelEngine): boolean {
    for (const command of engine.outbox.filter(({ type }) => type === "storeTried")) {
      engine.outbox.splice(engine.outbox.indexOf(command), 1);
      this.#storeTried(engine, command as CommandOf<"storeTried">);
    }
    return this.#refusedIn.get(engine.state) !== engine.state.epoch;
  }
  /** The answer says what time it was, and is heard once all of before is folded. */
  #askForEnd(engine: ModelEngine, gaps: number): void {
    const { network, now: at } = this.#world;
    const { state } = engine;
    network.send(() => {
      if (!engine.isAlive || engine.state !== state) return;
      engine.askForEnd(gaps, at, this.#world.now);
    });
  }
  #cancelOn({ worker: id, runs }: CommandOf<"cancelOn">): void {
    const { random, isRough, isHealed } = this.#world;
    if (isRough && !isHealed && random.chance(0.3)) return; // said to nobody, and nobody knows it
    const worker = this.#world.workers.find((w) => w.id === id);
    this.#world.network.send(() => {
      if (worker?.isAlive && worker.isConnected) for (const stop of runs) worker.stop(stop, this.#world.now);
    });
  }
  /** In as many entries as it takes. An entry has its name, so that it stands in the log once however often it was sent. */
  #append(command: CommandOf<"append">, epoch: number): void {
    const { stream, climate } = this.#world;
    if (this.#appended.has(command)) return;
    this.#appended.add(command);
    for (const outcomes of partsOf(command.outcomes, climate.isNarrow ? 2 : Number.POSITIVE_INFINITY))
      stream.writeOutcomes("engine", `e${epoch}`, outcomes);
  }
  #compact(engine: ModelEngine, command: CommandOf<"compact">): void {
    const { task, name, expectSeq } = command;
    if (!this.#write(engine, command))
      engine.give({ type: "compactionRefused", task, name, expectSeq }, this.#world.now);
  }
  #write({ state: { live } }: ModelEngine, { task, name, isBundle, expectSeq, runs }: CommandOf<"compact">): boolean {
    const { stream } = this.#world;
    const left = runs.map(({ key, inputSeq, entry }) => {
      const kept = live.get(key); // in memory, or where the entry stands
      const readAt = kept?.input === undefined ? inputSeq : entryOfOrigin(kept.origin);
      const read = inputSeq === 0 ? undefined : stream.history[readAt - 1];
      const input = read?.type === "entry" ? read.entry.input : undefined;
      return { id: splitKey(key).id, entry: input === undefined ? entry : { ...entry, input } };
    });
    return isBundle
      ? stream.writeBundle(name, task, expectSeq, left)
      : stream.writeEntry(name, expectSeq, left[0]!.entry);
  }
  /** The answer may be lost with its engine: the purge has happened all the same. */
  #purge(engine: ModelEngine, filter: PurgeFilter, keepFrom: number): void {
    const { stream, random, isRough, isHealed, faults, now } = this.#world;
    stream.purge(filter, keepFrom);
    if (isRough && !isHealed && random.chance(0.1)) return void faults.crash(engine);
    engine.give({ type: "purged", filter, keepFrom }, now);
  }
  #assignIfDue(engine: ModelEngine, command: CommandOf<"assign">): void {
    const { worker: id, batch, runs } = command;
    const { leadership } = engine.state;
    if (leadership !== undefined && isDue(leadership.matching, command)) this.#assign(engine, id, snapshotOf(command));
    else engine.give({ type: "assigned", id, batch, refused: runs.map((_, index) => index) }, this.#world.now);
  }
  /** In as many messages as it takes; answered once all of them are. */
  #assign(engine: ModelEngine, id: string, assigned: Assigned): void {
    const { network, climate } = this.#world;
    const worker = this.#world.workers.find((w) => w.id === id);
    const { state } = engine;
    const { batch, runs } = assigned;
    const sentAt = this.#world.now;
    engine.unanswered.set(batch, { worker: id, sentAt });
    const parts = partsOf(runs, climate.isNarrow ? 2 : Number.POSITIVE_INFINITY);
    const refused: number[] = [];
    const answered = new Set<number>();
    parts.forEach((part, index) => {
      network.send(() => {
        if (worker?.isListening !== true) return;
        const from = runs.indexOf(part[0]!);
        const isFresh = this.#world.now - sentAt < freshMs;
        const taken = isFresh ? this.#take(worker, { ...assigned, runs: part }) : part.map((_, i) => i);
        const refusedNow = taken.map((i) => i + from);
        const ahead = worker.host === engine ? 0 : worker.ahead;
        network.send(() => {
          if (!answered.has(index)) refused.push(...refusedNow);
          answered.add(index);
          if (answered.size < parts.length) return;
          if (!engine.isAlive || engine.state !== state || !engine.unanswered.delete(batch)) return;
          engine.give({ type: "assigned", id, batch, refused, ahead }, this.#world.now);
        });
      });
    });
  }
  #take(worker: ModelWorker, part: Assigned): number[] {
    const { checks, now, random, staff } = this.#world;
    const refused = worker.take(part, now);
    checks.onTaken(worker);
    for (const attempt of worker.executing.values()) {
      if (attempt.takenAt !== now || attempt.startedAt !== 0) continue;
      checks.limits.onTaken(worker, attempt);
      if (random.chance(0.6)) staff.begin(worker, attempt);
    }
    return refused;
  }
}

const isWrite = ({ type }: Command): boolean =>
  ["append", "compact", "purge", "storeRates", "react", "storeCron", "storeHandled", "storeErased"].includes(type);

export function partsOf<T>(items: readonly T[], most: number): (readonly T[])[] {
  if (items.length <= most) return [items];
  return Array.from({ length: Math.ceil(items.length / most) }, (_, i) => items.slice(i * most, (i + 1) * most));
}
