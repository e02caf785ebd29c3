// bun run test/simulation/main.ts [--steps 5000000] [--seed n]: lives many worlds, or one seed again.
import { simulate } from "./simulate.ts";

const option = (name: string, otherwise: number): number => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? otherwise : Number(process.argv[index + 1]);
};
const stepsPerSeed = option("length", 1_000);
const total = option("steps", 1_000_000);
const onlySeed = option("seed", 0);
const sums = {
  steps: 0,
  created: 0,
  bundles: 0,
  assigned: 0,
  marks: 0,
  purges: 0,
  compactions: 0,
  rebuilds: 0,
  inputsMoved: 0,
};
const begun = performance.now();
for (let seed = onlySeed || option("from", 1); sums.steps < total; seed++) {
  const result = simulate(seed, stepsPerSeed);
  for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += result[name];
  if (onlySeed > 0) break;
}
console.log(
  `${Object.entries(sums)
    .map(([name, sum]) => `${sum} ${name}`)
    .join(", ")} in ${((performance.now() - begun) / 1_000).toFixed(1)} s, no mismatch`,
);
