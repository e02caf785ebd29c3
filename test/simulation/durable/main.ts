// bun run test/simulation/durable/main.ts [--steps 1000000] [--seed n] [--from n] [--length 800]: lives many worlds of durable runs, or one again.
import { simulateFlows } from "./simulate-flows.ts";

const option = (name: string, otherwise: number): number => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? otherwise : Number(process.argv[index + 1]);
};
const length = option("length", 800);
const onlySeed = option("seed", 0);
const from = onlySeed || option("from", 1);
const sums: Record<string, number> = {};
for (let seed = from; (seed - from) * length < option("steps", 200_000); seed++) {
  for (const [name, count] of Object.entries(simulateFlows(seed, length))) sums[name] = (sums[name] ?? 0) + count;
  if (onlySeed > 0) break;
}
console.log(
  `no mismatch: ${Object.entries(sums)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ")}`,
);
