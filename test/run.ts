// The whole normal suite: every test file on Bun, the runtime-sensitive ones on Deno too. Arguments filter by path.
// Always ends with the line `N passed, N failed`, summed over all runners; a runner that dies counts as a failure.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname!, "..");

/** Files under `test/long/` take minutes and are started by hand. */
const longRunning = "test/long/";
/** What behaves differently from runtime to runtime: these files run under `deno test` as well. */
const onDeno = [
  "test/decorators/behaviour.test.ts",
  "test/decorators/refusals.test.ts",
  "test/decorators/standard-only.test.ts",
  "test/runtime/",
  "test/nats/",
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

// The end-to-end tests have a process of their own, so that a runner that dies takes no other results with it.
const isEndToEnd = (file: string) => file.startsWith("test/e2e/");
const bun = onBun(
  "bun",
  files.filter((file) => !isEndToEnd(file)),
);
// Most tests wait for something, so that two runners at a time take little more than one.
const beside: Runner[] = [
  {
    name: "deno",
    command: "deno",
    args: ["test", "-A", "--no-check"],
    files: files.filter((file) => onDeno.some((prefix) => file.startsWith(prefix)) && file !== coveredOnDeno),
    passed: /\| (\d+) passed\b/g,
    failed: [/\| (\d+) failed\b/g],
  },
  onBun("bun, end to end", files.filter(isEndToEnd)),
];

/** What kills the runners that are at work: groups of their own do not hear Ctrl-C. */
const running = new Set<() => void>();
const interrupt = () => {
  for (const kill of running) kill();
  process.exit(130);
};
process.once("SIGINT", interrupt).once("SIGTERM", interrupt);

const total = { passed: 0, failed: 0 };
if (files.length === 0) {
  console.log(`no test file matches ${filters.join(" ")}`);
  total.failed += 1;
} else await Promise.all([runAll([bun], "as it comes"), runAll(beside, "at the end")]);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

function onBun(name: string, chosen: readonly string[]): Runner {
  return {
    name,
    command: "bun",
    args: ["test", "--timeout=60000"],
    files: chosen.map((file) => `./${file}`),
    passed: /^\s*(\d+) pass$/gm,
    failed: [/^\s*(\d+) fail$/gm, /^\s*(\d+) errors?$/gm],
  };
}

/** One after the other. What those say that run beside others comes in one piece. */
async function runAll(runners: readonly Runner[], output: "as it comes" | "at the end"): Promise<void> {
  for (const runner of runners) {
    if (runner.files.length === 0) continue;
    let kept = "";
    const say = (text: string): void => {
      if (output === "as it comes") process.stdout.write(text);
      else kept += text;
    };
    say(`\n== ${runner.name} ==\n`);
    const result = await run(runner, say);
    process.stdout.write(kept);
    total.passed += result.passed;
    total.failed += result.failed;
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
