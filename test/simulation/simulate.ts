import { taskOf } from "../../src/domain/run.ts";
import { handlerTask } from "./reaction-checks.ts";
import { World } from "./world.ts";

export interface SimulationResult {
  readonly steps: number;
  readonly created: number;
  readonly bundles: number;
  readonly assigned: number;
  /** Of those, beyond the slots of their worker. */
  readonly assignedAhead: number;
  readonly marks: number;
  readonly purges: number;
  readonly compactions: number;
  readonly rebuilds: number;
  /** Large inputs of finished runs that were moved to the tail. */
  readonly inputsMoved: number;
  /** Cancelled because they waited too long. */
  readonly expired: number;
  /** Runs under a rate limit whose code began. */
  readonly rated: number;
  /** Attempts that had heard in a long time of calm that they are to stop. */
  readonly stopsHeard: number;
  readonly asked: number;
  readonly erased: number;
  /** Entries stored over those of live runs. */
  readonly forged: number;
  /** Processes that runs killed. */
  readonly deaths: number;
  readonly failedWrites: number;
  readonly lateWrites: number;
  readonly handledFailures: number;
  readonly ticks: number;
}

/** Lives one world for `steps` steps, heals it, and sees that everything comes to an end. Throws with the seed at the first mismatch. */
export function simulate(seed: number, steps: number): SimulationResult {
  const world = new World(seed);
  let done = 0;
  try {
    for (; done < steps; done++) world.act();
    world.heal();
    let rounds = 0;
    let quiet = 0;
    for (; rounds < 250 || quiet < 50; rounds++) {
      quiet = whatLives(world).length > 0 ? 0 : quiet + 1;
      if (rounds > 3_000) world.checks.fail(`still live after everything was healed: ${whatLives(world).join("; ")}`);
      world.settle();
      // An engine whose clock was an hour ahead may have moved a run there.
      const { hasHours, isRush, hasWildClocks } = world.climate;
      if ((hasHours || isRush || hasWildClocks) && quiet === 0) world.leaps.pass(60_000);
    }
    for (let i = 0, calm = 0; i < 200 && calm < 2; i++) {
      world.settle();
      calm = isForgetting(world) ? 0 : calm + 1;
    }
    world.checks.afterHealing();
  } catch (error) {
    throw new Error(`seed ${seed} (${world.climate.weather}), step ${done}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { assigned, assignedAhead, marks, purges, compactions, rebuilds } = world.checks.counts;
  return {
    steps: done,
    created: world.stream.history.filter((e) => e.type === "entry" && e.entry.form === 0).length,
    bundles: world.stream.history.filter((e) => e.type === "bundle").length,
    assigned,
    assignedAhead,
    marks,
    purges,
    compactions,
    rebuilds,
    inputsMoved: world.checks.inputs.moved,
    expired: world.checks.promises.counts.expired,
    deaths: world.processes.deathCount,
    rated: world.checks.limits.begun,
    stopsHeard: world.checks.cancels.heard,
    asked: world.queries.asked,
    erased: world.erasures.finished,
    forged: world.forger.forged,
    failedWrites: world.deeds.failed,
    lateWrites: world.lateWrites.landed,
    handledFailures: world.checks.reactions.handled,
    ticks: world.checks.reactions.ticks,
  };
}

/** Whatever is too old by then goes with a mark, which may have begun just now, or waits for what is being erased. */
const isForgetting = ({ leaders }: World): boolean =>
  leaders.some(({ state }) => {
    const { retention, remains } = state.leadership!.house;
    return retention.phase !== "idle" || remains.size > 0;
  });

function whatLives({ ids, checks }: World): string[] {
  const made = [...checks.reference.keys.keys()].filter((key) => taskOf(key) === handlerTask);
  return [...ids, ...made]
    .filter((key) => checks.reference.keys.get(key)?.finished === undefined)
    .flatMap((key) => {
      const known = checks.reference.describe(key);
      return known === "unknown" ? [] : [`${key} ${known}`];
    });
}
