import type { ModelEngine } from "./model-engine.ts";
import type { ModelWorker } from "./model-worker.ts";
import type { World } from "./world.ts";

/** The most that an engine is wrong about the time. */
export const clockErrorMs = 200;

/** What happens to processes and clocks; in a calm world nobody is harmed. */
export class Faults {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }
  happen(): void {
    const world = this.#world;
    const { random, isRough, workers, engines, climate } = world;
    const worker = random.pick(workers);
    if ((climate.isRush || climate.isContended) && random.chance(0.3)) {
      this.#changeLeader();
      return;
    }
    if (climate.isContended && isRough && random.chance(0.3)) {
      this.#cutOff(worker);
      return;
    }
    const x = random.next();
    if (x < 0.1 && workers.length < 5) world.staff.add();
    else if (x < 0.14) world.staff.retire(worker);
    else if (x < 0.2) worker.isQuiet = !worker.isQuiet;
    else if (x < 0.24 && !isRough) world.elections.elect();
    else if (!isRough) return;
    else if (x < 0.26) world.processes.killWorker(worker);
    else if (x < 0.28) worker.forgetOne(random);
    else if (x < 0.45) worker.isConnected = !worker.isConnected;
    else if (x < 0.55) worker.isHung = !worker.isHung;
    else if (x < 0.62) this.crash(random.pick(engines));
    else if (x < 0.8) engines.find((e) => !e.isAlive)?.restart(world.now);
    else if (x < 0.84) world.elections.elect();
    else if (x < 0.88) random.pick(engines).skewMs = this.#skew();
    else world.workers = workers.filter((w) => w.isAlive || random.chance(0.7));
    if (world.workers.length === 0) world.staff.add();
  }
  #cutOff(worker: ModelWorker): void {
    const { random } = this.#world;
    if (!worker.isListening) {
      worker.isConnected = true;
      worker.isHung = false;
    } else if (random.chance(0.8)) worker.isConnected = false;
    else worker.isHung = true;
  }
  #changeLeader(): void {
    const { random, isRough, leaders, elections, engines, now } = this.#world;
    engines.find((e) => !e.isAlive)?.restart(now);
    if (isRough && leaders.length > 0 && random.chance(0.4)) this.crash(random.pick(leaders));
    else elections.elect();
  }
  crash(engine: ModelEngine): void {
    this.#world.processes.killEngine(engine);
  }
  /** Engines go by the server's clock, as well as they know it. In a wild world the clocks of the servers themselves differ, and are set. */
  #skew(): number {
    const { random, climate } = this.#world;
    return random.pick(climate.hasWildClocks ? [0, 3_600_000, -3_600_000, 40_000] : [0, clockErrorMs, -clockErrorMs]);
  }
}
