// bun run test/simulation/main.ts [--steps 5000000] [--seed n] [--from n] [--length 1000] [--survey]: lives many worlds, or one seed again.
// `--survey` goes on after a mismatch, and lists the kinds that were found with their first seeds.

import { kept } from "./kept.ts";
import { type SimulationResult, simulate } from "./simulate.ts";

const option = (name: string, otherwise: number): number => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? otherwise : Number(process.argv[index + 1]);
};
const stepsPerSeed = option("length", 1_000);
const total = option("steps", 1_000_000);
const onlySeed = option("seed", 0);
const isSurvey = process.argv.includes("--survey");
if (process.argv.includes("--strict")) for (const name of Object.keys(kept) as (keyof typeof kept)[]) kept[name] = true;
const sums: Record<string, number> = {};
const found = new Map<string, { count: number; readonly first: string }>();
const begun = performance.now();
const from = onlySeed || option("from", 1);
for (let seed = from; (seed - from) * stepsPerSeed < total; seed++) {
  const result = live(seed);
  for (const [name, sum] of Object.entries(result ?? {})) sums[name] = (sums[name] ?? 0) + sum;
  if (onlySeed > 0) break;
}
for (const [kind, { count, first }] of found) console.log(`${count} × ${kind}\n    ${first}`);
const counted = Object.entries(sums).map(([name, sum]) => `${sum} ${name}`);
const outcome = found.size === 0 ? "no mismatch" : "MISMATCHES";
console.log(`${counted.join(", ")} in ${((performance.now() - begun) / 1_000).toFixed(1)} s, ${outcome}`);
process.exitCode = found.size === 0 ? 0 : 1;

function live(seed: number): SimulationResult | undefined {
  if (!isSurvey) return simulate(seed, stepsPerSeed);
  try {
    return simulate(seed, stepsPerSeed);
  } catch (error) {
    const { message } = error as Error;
    const kind = message
      .replace(/^seed.*?: /, "")
      .replaceAll(/[a-z-]+\/\w+/g, "RUN")
      .replaceAll(/\d+/g, "N")
      .slice(0, 120);
    const known = found.get(kind);
    if (known === undefined) found.set(kind, { count: 1, first: message.slice(0, 300) });
    else known.count++;
    return undefined;
  }
}
