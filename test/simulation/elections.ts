import { knownWorkers } from "../../src/matching/unseen/known-workers.ts";
import { handOverOf } from "../../src/presence/takeover.ts";
import type { KnownWorker } from "../../src/wire/records.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { ModelWorker } from "./model-worker.ts";
import type { World } from "./world.ts";

/** Who leads: one after the other, or, in a rough world, a new one beside an old one that does not know it yet. */
export class Elections {
  readonly #world: World;
  epoch = 0;
  /** The workers that the next leader has to hear, as the last one stored them. */
  known: readonly KnownWorker[] = [];

  constructor(world: World) {
    this.#world = world;
  }
  /** A leader stores who may execute something. */
  remember({ state, deposedAt }: ModelEngine): void {
    if (state.leadership !== undefined && deposedAt === undefined) this.known = knownWorkers(state.leadership.matching);
  }
  elect(): void {
    const { random, isRough, now, engines, network, leaders, stored, workers, processes } = this.#world;
    const able = engines.filter((e) => e.isAlive && !e.state.isLeading);
    if (able.length === 0) return;
    const engine = random.pick(able);
    if (!isRough) network.drain();
    for (const other of leaders) other.deposedAt ??= now;
    engine.read(Number.POSITIVE_INFINITY, now);
    const [before] = this.#world.leaders;
    this.epoch += 1 + random.int(3);
    const isClean =
      before !== undefined &&
      before.outbox.length === 0 &&
      before.isCaughtUp &&
      !isRough &&
      before.unanswered.size === 0;
    const handOver = isClean ? handOverOf(before.state.leadership!.matching) : {};
    if (before !== undefined && !isRough) before.stepDown(now);
    engine.give({ type: "pauses", pauses: stored.pauses }, now);
    engine.give({ type: "briefed", briefing: { rates: stored.loadRates(engine) } }, now);
    engine.give({ type: "briefed", briefing: { definitions: [...stored.definitions.values()] } }, now);
    const { handlers, handled, crons, erased } = stored;
    const failures = { handlers: [...handlers.values()], upTo: handled.upTo };
    const beside = { failures, crons: [...crons.values()], erasedUpTo: erased.upTo };
    engine.give({ type: "briefed", briefing: beside }, now);
    const process = processes.nameOf(engine);
    const { epoch } = this;
    const known = {
      knownWorkers: this.known.map(({ id }) => id),
      details: new Map(this.known.map((worker) => [worker.id, worker])),
    };
    engine.give({ type: "lead", epoch, ...known, ...handOver, ...stored.tried, process }, now);
    for (const worker of workers) this.#hearEpoch(worker);
    // In a calm world all workers answer well before the leader would go on without them; it ticks meanwhile.
    if (!isRough) network.drain(() => engine.give({ type: "tick" }, now));
  }
  #hearEpoch(worker: ModelWorker): void {
    const { epoch } = this;
    this.#world.network.send(() => {
      if (!worker.isListening) return;
      worker.epoch = Math.max(worker.epoch, epoch);
      this.#world.staff.register(worker);
    });
  }
}
