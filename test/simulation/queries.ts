import { describeQueues, describeRun, describeWorkers, listRuns, liveRuns } from "../../src/requests/describe.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { World } from "./world.ts";

/** Everything that can be asked, of any engine. A twin that is asked nothing shows whether an answer changed something. */
export class Queries {
  readonly #world: World;
  asked = 0;

  constructor(world: World) {
    this.#world = world;
  }
  ask(): void {
    const { random, engines } = this.#world;
    const alive = engines.filter((e) => e.isAlive);
    if (alive.length === 0) return;
    const engine = random.pick(alive);
    this.#askOne(engine);
    this.asked++;
    if (engine.state.step.commands.length > 0 && engine.state.step.outgoing.length > 0)
      throw new Error("a query left something to be done");
  }
  #askOne({ state }: ModelEngine): void {
    const { random, ids, climate } = this.#world;
    const { tasks } = climate;
    const x = random.int(6);
    if (x === 0) for (const key of ids) describeRun(state, key);
    else if (x === 1) listRuns(state, { task: random.pick(tasks) }, 5);
    else if (x === 2)
      listRuns(state, { state: ["queued", "running", "failed"], metadata: { of: "1" } }, 3, this.#world.now - 1_000);
    else if (x === 3) liveRuns(state, { task: [random.pick(tasks)], ids: ["1", "2"] }, 5, 0, Number.POSITIVE_INFINITY);
    else if (x === 4) describeWorkers(state);
    else describeQueues(state);
  }
}
