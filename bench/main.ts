// natchet beside its peers. `bun run bench` for natchet alone, `bun run bench --peers` for all, `bun run bench --once` for a short look.
// Ends with 1 if a run was lost or executed twice, or a measurement failed.
import { parseArgs } from "node:util";
import { Cell } from "./cell.ts";
import { undoAll, undoOnSignals, unlessEnding } from "./cleanup.ts";
import { consoleTable } from "./console.ts";
import { installPeers } from "./peers.ts";
import { writeReport } from "./report.ts";
import { Results } from "./results.ts";
import type { Context, Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/all.ts";
import type { System } from "./system.ts";
import { systems } from "./systems/all.ts";

const { values: options } = parseArgs({
  options: {
    peers: { type: "boolean", default: false },
    once: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    systems: { type: "string" },
    json: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.once ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds ${options.rounds} is no whole number, for example 3`);
const versions = new Map<string, string>();
const results = new Results();
let failures = 0;

undoOnSignals();
try {
  await bench();
} finally {
  await undoAll();
}
if (results.failed || failures > 0) process.exitCode = 1;

async function bench(): Promise<void> {
  const measured = await prepare(chosenSystems());
  const wanted = chosenScenarios();
  for (const scenario of wanted) {
    await measure(scenario, measured);
    (options.json ? console.error : console.log)(`${consoleTable(scenario, measured, results)}\n`);
  }
  if (options.report)
    await writeReport({ command: commandLine(), rounds, systems: measured, versions, scenarios: wanted, results });
  if (options.json) console.log(JSON.stringify({ versions: Object.fromEntries(versions), measurements: results.all }));
}

function commandLine(): string {
  return ["bun run bench", ...process.argv.slice(2)].join(" ");
}

function chosen<T extends { readonly name: string }>(what: string, all: readonly T[], given: string): T[] {
  return given.split(",").map((name) => {
    const found = all.find((each) => each.name === name);
    if (found === undefined)
      throw new Error(`there is no ${what} "${name}"; use ${all.map((each) => each.name).join(", ")}`);
    return found;
  });
}

function chosenSystems(): readonly System[] {
  if (options.systems !== undefined) return chosen("system", systems, options.systems);
  return options.peers ? systems.filter(({ isOptional }) => !isOptional) : systems.slice(0, options.once ? 1 : 2);
}

/** In their order, with those that they need. */
function chosenScenarios(): readonly Scenario[] {
  if (options.only === undefined)
    return scenarios.filter(({ isLong, isOptional }) => !isOptional && !(options.once && isLong));
  const asked = options.only.split(",").flatMap((name) => {
    const ofSet = scenarios.filter(({ set, isOptional }) => set === name && !isOptional);
    return ofSet.length > 0 ? ofSet : chosen("scenario", scenarios, name);
  });
  const needed = new Set(asked.flatMap(({ name, needs }) => (needs === undefined ? [name] : [name, needs])));
  return scenarios.filter(({ name }) => needed.has(name));
}

/** The systems that can be measured here; the others are named with the reason. */
async function prepare(wanted: readonly System[]): Promise<readonly System[]> {
  if (wanted.some(({ isPeer }) => isPeer)) await installPeers();
  const able: System[] = [];
  for (const system of wanted) {
    try {
      versions.set(system.name, await system.prepare());
      able.push(system);
    } catch (error) {
      console.error(
        `${system.title} is left out: ${String(error instanceof Error ? error.message : error).split("\n")[0]}`,
      );
    }
  }
  return able;
}

async function measure(scenario: Scenario, measured: readonly System[]): Promise<void> {
  const suitable = measured.filter((system) => isSuitable(scenario, system));
  for (let round = 0; round < Math.min(rounds, scenario.maxRounds ?? rounds); round += 1) {
    for (let turn = 0; turn < suitable.length; turn += 1) {
      const system = suitable[(turn + round) % suitable.length]!;
      const context: Context = {
        once: options.once,
        systems: suitable.map(({ name }) => name),
        system: system.name,
        measured: (...place) => results.spread(...place)?.median,
      };
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[K${scenario.name}, round ${round + 1} of ${rounds}: ${system.title}`);
      try {
        results.add(await measureOne(scenario, system, context, round));
      } catch (error) {
        await unlessEnding();
        failures += 1;
        console.error(`\n${system.title} failed in ${scenario.name}:`, error);
      }
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}

function isSuitable({ only, workload }: Scenario, { name, takesWorkloads = false, steps }: System): boolean {
  if (only !== undefined) return only === name;
  if (workload?.steps !== undefined) return steps !== undefined;
  return steps !== "only" && (workload === undefined || takesWorkloads);
}

async function measureOne(scenario: Scenario, system: System, context: Context, round: number) {
  const cell = await Cell.open(system, scenario.workload);
  try {
    const values = await scenario.measure(cell, context);
    return { scenario: scenario.name, system: system.name, round, values, ...(await cell.close()) };
  } catch (error) {
    await cell.abandon();
    throw error;
  }
}
