// The gate: format, lint, Effect diagnostics, types in both decorator modes, architecture, the suite, one round of the benchmark.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname!, "..");
const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format and lint", "biome", "check"],
  ["effect diagnostics", "effect-tsgo", "diagnostics", "--project", "tsconfig.json", "--strict", "--format", "text"],
  ["types", "tsc", "-p", "."],
  ["types, legacy decorators", "tsc", "-p", "tsconfig.legacy.json"],
  ["types, deno", "deno", "check", "--quiet", "src/mod.ts", "src/client.ts", "decorators/mod.ts", "src/testing/mod.ts"],
  ["architecture", "bun", "test", "./test/architecture"],
  ["suite", "bun", "run", "test/run.ts"],
  ...(existsSync(join(root, "bench/main.ts")) ? [["benchmark", "bun", "run", "bench/main.ts", "--once"] as const] : []),
];

const failed: string[] = [];
for (const [name, command, ...args] of steps) {
  console.log(`\n=== ${name} ===`);
  const startedAt = performance.now();
  const { status } = spawnSync(join(root, "node_modules", ".bin", command), args, { cwd: root, stdio: "inherit" });
  console.log(`${status === 0 ? "ok" : "FAILED"} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "\nok" : `\nnot ok: ${failed.join(", ")}`);
process.exit(failed.length === 0 ? 0 : 1);
