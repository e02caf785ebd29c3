import type { World } from "./world.ts";

/** How far the clock moves between two looks of an engine: less than the nap that it believes to have taken. */
const strideMs = 2_500;

/**
 * Minutes and hours in which everything goes on as it is: whoever lives and is connected talks, engines do what they are told, and what
 * executes goes on executing. In a rough world the store may be away for a while, and the leader may be killed halfway.
 */
export class Leaps {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }
  leap(): void {
    const { random, isRough } = this.#world;
    if (random.chance(0.5)) this.#world.cancelOneThatExecutes();
    const length = random.pick([10_000, 60_000, 400_000, 400_000, 2_000_000]);
    if (isRough && random.chance(0.2)) this.#withoutStore(random.pick([3_000, 8_000, 20_000]));
    if (isRough && random.chance(0.4)) {
      this.pass(random.int(length));
      this.#takeover();
    }
    this.pass(length);
  }
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= strideMs) this.#stride(Math.min(left, strideMs));
    this.#world.checks.cancels.afterCalm(ms);
  }
  #stride(ms: number): void {
    const world = this.#world;
    world.advance(ms);
    world.network.drain();
    for (const engine of world.engines) {
      if (!engine.isAlive) continue;
      engine.read(100, world.now);
      engine.give({ type: "tick" }, world.now);
      world.pings(engine);
      world.deeds.carryOutAll(engine);
    }
    world.network.drain();
    for (const worker of world.workers) world.staff.publish(worker);
    world.checks.foldNews();
  }
  /** Nobody reads, writes or hears anything; the lease cannot be renewed either. */
  #withoutStore(ms: number): void {
    const world = this.#world;
    for (const leader of world.leaders) leader.deposedAt ??= world.now;
    for (let left = ms; left > 0; left -= strideMs) {
      world.advance(Math.min(left, strideMs), "nobody is elected");
      for (const engine of world.engines) if (engine.isAlive) engine.give({ type: "tick" }, world.now);
    }
  }
  #takeover(): void {
    const world = this.#world;
    const { random, leaders } = world;
    if (leaders.length === 0 || random.chance(0.3)) world.elections.elect();
    else world.faults.crash(random.pick(leaders));
  }
}
