// The whole normal suite: every test file on Bun, the runtime-sensitive ones on Deno too. Arguments filter by path.
// Always ends with the line `N passed, N failed`, summed over all runners; a runner that dies counts as a failure.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { failuresOnBun, failuresOnDeno } from "./failures.ts";

const root = join(import.meta.dirname!, "..");

/** Files under `test/long/` take minutes and are started by hand. */
const longRunning = "test/long/";
/** What behaves differently from runtime to runtime: these files run under `deno test` as well. */
const onDeno = [
  "test/decorators/behaviour.test.ts",
  "test/decorators/durable.test.ts",
  "test/decorators/refusals.test.ts",
  "test/decorators/standard-only.test.ts",
  "test/runtime/",
  "test/nats/",
  "test/embedded/",
  "test/worker/",
  "test/client/",
  "test/facade/",
  "test/health/",
  "test/testing/",
  "test/discovery.test.ts",
  "test/smoke.test.ts",
];
/** A runner that takes longer hangs: it is killed, with everything that it started, and counts as a failure. */
const runnerLimitMs = 20 * 60_000;
/** A minute of outages; the end-to-end tests take the server away from workers and engines on Deno too. */
const coveredOnDeno = "test/nats/outage.test.ts";

interface Runner {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly files: readonly string[];
  readonly passed: RegExp;
  readonly failed: readonly RegExp[];
  readonly failures: (output: string) => string;
}
interface Result {
  readonly passed: number;
  readonly failed: number;
}

const filters = process.argv.slice(2);
const files = globSync("test/**/*.test.ts", { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => !file.startsWith(longRunning))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter.replace(/^\.\//, ""))))
  .sort();

/** What runs in a process of its own on Bun, so that a runner that dies takes few other results with it; the rest is one more. */
const shares: Readonly<Record<string, readonly string[]>> = {
  "end to end": ["test/e2e/"],
  package: ["test/package/", "test/types/"],
  programs: ["test/cli/", "test/docs/", "test/examples/"],
  store: ["test/embedded/", "test/engine/", "test/facade/", "test/nats/"],
};
const isIn = (file: string, prefixes: readonly string[]) => prefixes.some((prefix) => file.startsWith(prefix));
const onBunAt = (name: keyof typeof shares) => onBun(name, (file) => isIn(file, shares[name]!));
const isOnDeno = (file: string) => isIn(file, onDeno) && file !== coveredOnDeno;
const isFacade = (file: string) => file.startsWith("test/facade/");

/** Most tests wait for something, so that four runners at a time keep two cores busy. The longest come first. */
const atOnce = 4;
const runners: readonly Runner[] = [
  onBunAt("end to end"),
  onBunAt("programs"),
  onBunAt("store"),
  withDeno("facade", (file) => isOnDeno(file) && isFacade(file)),
  withDeno("all else", (file) => isOnDeno(file) && !isFacade(file)),
  onBunAt("package"),
  onBun("all else", (file) => !isIn(file, Object.values(shares).flat())),
].filter((runner) => runner.files.length > 0);

/** What kills the runners that are at work: groups of their own do not hear Ctrl-C. */
const running = new Set<() => void>();
const interrupt = () => {
  for (const kill of running) kill();
  process.exit(130);
};
process.once("SIGINT", interrupt).once("SIGTERM", interrupt);

const total = { passed: 0, failed: 0 };
const failures: string[] = [];
if (files.length === 0) {
  console.log(`no test file matches ${filters.join(" ")}`);
  total.failed += 1;
} else {
  const left = [...runners];
  await Promise.all(Array.from({ length: atOnce }, () => runAll(left)));
}
for (const failure of failures) console.log(failure);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

function onBun(share: string, isMine: (file: string) => boolean): Runner {
  return {
    name: `bun, ${share}`,
    command: "bun",
    args: ["test", "--timeout=60000"],
    files: files.filter(isMine).map((file) => `./${file}`),
    passed: /^\s*(\d+) pass$/gm,
    failed: [/^\s*(\d+) fail$/gm, /^\s*(\d+) errors?$/gm],
    failures: failuresOnBun,
  };
}

function withDeno(share: string, isMine: (file: string) => boolean): Runner {
  return {
    name: `deno, ${share}`,
    command: "deno",
    args: ["test", "-A", "--no-check"],
    files: files.filter(isMine),
    passed: /\| (\d+) passed\b/g,
    failed: [/\| (\d+) failed\b/g],
    failures: failuresOnDeno,
  };
}

/** Takes one after the other. What a runner says comes in one piece; that it is at work shows at once. */
async function runAll(left: Runner[]): Promise<void> {
  for (let runner = left.shift(); runner !== undefined; runner = left.shift()) {
    console.log(`== ${runner.name}: ${runner.files.length} files ==`);
    let kept = `\n== ${runner.name} ==\n`;
    const startedAt = performance.now();
    const result = await run(runner, (text) => {
      kept += text;
    });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    console.log(`${kept}\n== ${runner.name}: ${result.passed} passed, ${result.failed} failed in ${seconds} s ==`);
    total.passed += result.passed;
    total.failed += result.failed;
    if (result.failed > 0) failures.push(`\n== what failed on ${runner.name} ==\n${runner.failures(kept)}\n`);
  }
}

function run(runner: Runner, say: (text: string) => void): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(join(root, "node_modules", ".bin", runner.command), [...runner.args, ...runner.files], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const kill = () => process.kill(-child.pid!, "SIGKILL");
    running.add(kill);
    const limit = setTimeout(() => {
      say(`${runner.name}: killed after ${runnerLimitMs / 60_000} minutes\n`);
      kill();
    }, runnerLimitMs);
    let output = "";
    const keep = (chunk: Buffer) => {
      say(chunk.toString());
      output = (output + chunk.toString()).slice(-100_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve({ passed: 0, failed: failure(runner, error.message) }));
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      running.delete(kill);
      const passed = lastNumber(output, runner.passed);
      const failed = Math.max(...runner.failed.map((pattern) => lastNumber(output, pattern) ?? 0));
      if (passed === undefined)
        return resolve({ passed: 0, failed: failed + failure(runner, `ended without a summary (${signal ?? code})`) });
      const unexplained = code !== 0 && failed === 0;
      resolve({ passed, failed: unexplained ? failure(runner, `ended with ${signal ?? code}`) : failed });
    });
  });
}

function failure(runner: Runner, why: string): number {
  console.log(`${runner.name}: ${why}`);
  return 1;
}

function lastNumber(text: string, pattern: RegExp): number | undefined {
  const last = [...text.matchAll(pattern)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}
