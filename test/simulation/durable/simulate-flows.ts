import { FlowWorld } from "./flow-world.ts";

export interface FlowResult {
  readonly [name: string]: number;
}

/** Lives one world for `steps` steps, heals it, and sees that everything comes to an end. Throws with the seed at the first mismatch. */
export function simulateFlows(seed: number, steps: number): FlowResult {
  const world = new FlowWorld(seed);
  let done = 0;
  try {
    for (; done < steps; done++) world.act();
    world.heal();
  } catch (error) {
    throw new Error(`seed ${seed}, step ${done}: ${(error as Error).message}`, { cause: error });
  }
  const { journals, checks, stepsExecuted, stream } = world;
  const { appended, laps, fenced } = journals;
  const signals = stream.history.filter(({ type }) => type === "signal").length;
  return {
    steps: done,
    stepsExecuted,
    appended,
    laps,
    fenced,
    signals,
    erased: world.erasures.finished,
    ...checks.counts,
  };
}
