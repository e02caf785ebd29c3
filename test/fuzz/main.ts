// Millions of inputs: bun run fuzz -- --count 1000000 --seed 5 --only decoders
import { parseArgs } from "node:util";
import { Random } from "../support/random.ts";
import { commandLines } from "./command-lines.ts";
import { decoders } from "./decoders.ts";
import { type Fuzzer, fuzz } from "./fuzzer.ts";
import { health } from "./health.ts";
import { live } from "./live.ts";
import { scheduler } from "./scheduler.ts";
import { settings } from "./settings.ts";

const all: readonly Fuzzer<any>[] = [decoders, scheduler, settings, commandLines, health, live];
const { values } = parseArgs({
  options: { count: { type: "string" }, seed: { type: "string" }, only: { type: "string", multiple: true } },
});
const { only = all.map(({ name }) => name) } = values;
const unknown = only.find((name) => all.every((fuzzer) => fuzzer.name !== name));
if (unknown !== undefined)
  throw new Error(`there is no "${unknown}"; there are ${all.map(({ name }) => name).join(", ")}`);
const count = Number(values.count ?? 1_000_000);
const seed = values.seed === undefined ? new Random().seed : Number(values.seed);
console.log(`seed ${seed}`);

let failed = 0;
await health.open();
for (const fuzzer of all.filter(({ name }) => only.includes(name))) {
  const startedAt = performance.now();
  let toldAt = startedAt;
  const onCase = (inputs: number) => {
    if (performance.now() - toldAt < 10_000) return;
    toldAt = performance.now();
    console.log(`${fuzzer.name}: ${inputs} of ${count}`);
  };
  try {
    const inputs = await fuzz(fuzzer, { seed, count, onCase });
    console.log(`${fuzzer.name}: ${inputs} inputs in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  } catch (error) {
    failed++;
    console.log((error as Error).message);
  }
}
await Promise.all([health.close(), live.close()]);
process.exit(failed === 0 ? 0 : 1);
