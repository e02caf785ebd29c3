import { splitKey } from "../../src/domain/run.ts";
import type { Command, PurgeFilter } from "../../src/scheduler/commands.ts";
import type { ModelEngine } from "./model-engine.ts";
import { type Assigned, snapshotOf } from "./model-worker.ts";
import type { World } from "./world.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/** Carries out what the engines were told to do, when the world lets it. */
export class Deeds {
  readonly #world: World;

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
    this.#execute(engine, command!);
  }
  carryOutAll(engine: ModelEngine): void {
    for (let next = engine.outbox.shift(); next !== undefined; next = engine.outbox.shift())
      this.#execute(engine, next);
  }
  #execute(engine: ModelEngine, command: Command): void {
    const { stream, stored, now } = this.#world;
    if (command.type === "append") stream.writeOutcomes("engine", `e${engine.state.epoch}`, command.outcomes);
    else if (command.type === "compact") this.#compact(engine, command);
    else if (command.type === "purge") this.#purge(engine, command.filter, command.keepFrom);
    else if (command.type === "assign") this.#assign(engine, command.worker, snapshotOf(command));
    else if (command.type === "storeRates") stored.storeRates(engine, command, now);
    else if (command.type === "dropRates") stored.dropRates(command.ids);
    else if (command.type === "cancelOn") this.#cancelOn(command);
  }
  #cancelOn({ worker: id, runs }: CommandOf<"cancelOn">): void {
    const worker = this.#world.workers.find((w) => w.id === id);
    this.#world.network.send(() => {
      if (worker?.isAlive && worker.isConnected) for (const { key, turn } of runs) worker.stop(key, turn);
    });
  }
  #compact(engine: ModelEngine, { task, name, isBundle, expectSeq, runs }: CommandOf<"compact">): void {
    const { stream, now } = this.#world;
    const left = runs.map(({ key, inputSeq, entry }) => {
      const input = inputSeq === 0 ? undefined : stream.singleOf(key)?.entry.input;
      return { id: splitKey(key).id, entry: input === undefined ? entry : { ...entry, input } };
    });
    const isWritten = isBundle
      ? stream.writeBundle(name, task, expectSeq, left)
      : stream.writeEntry(name, expectSeq, left[0]!.entry);
    if (!isWritten) engine.give({ type: "compactionRefused", task, name, expectSeq }, now);
  }
  /** The answer may be lost with its engine: the purge has happened all the same. */
  #purge(engine: ModelEngine, filter: PurgeFilter, keepFrom: number): void {
    const { stream, random, isRough, isHealed, faults, now } = this.#world;
    stream.purge(filter, keepFrom);
    if (isRough && !isHealed && random.chance(0.1)) return void faults.crash(engine);
    engine.give({ type: "purged", filter, keepFrom }, now);
  }
  #assign(engine: ModelEngine, id: string, assigned: Assigned): void {
    const { workers, network, checks } = this.#world;
    const worker = workers.find((w) => w.id === id);
    const { state } = engine;
    engine.unanswered.set(assigned.batch, { worker: id, sentAt: this.#world.now });
    network.send(() => {
      if (worker?.isListening !== true) return;
      const refused = worker.take(assigned, this.#world.now);
      checks.limits.onRefused(assigned, refused);
      checks.onTaken(worker);
      network.send(() => {
        if (!engine.isAlive || engine.state !== state || !engine.unanswered.delete(assigned.batch)) return;
        engine.give({ type: "assigned", id, batch: assigned.batch, refused }, this.#world.now);
      });
    });
  }
}
