// Command lines: each ends, with an exit code that says whose fault it was, and with words instead of a stack. No server is reached.
import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { type Fuzzer, oddNames, without } from "./fuzzer.ts";

type Words = readonly string[];

const words = [
  ...[
    "run",
    "runs",
    "list",
    "get",
    "cancel",
    "retry",
    "replay",
    "logs",
    "workers",
    "tasks",
    "queues",
    "crons",
    "pause",
  ],
  ...[
    "resume",
    "doctor",
    "nats-config",
    "engine",
    "worker",
    "help",
    "--help",
    "--version",
    "-o",
    "json",
    "table",
    "-n",
  ],
  ...[
    "--namespace",
    "prod",
    "--task",
    "--state",
    "queued",
    "--limit",
    "5",
    "--reason",
    "why",
    "--metadata",
    "a=b",
    "--id",
  ],
  ...["mail/1", "mail", "'{}'", '{"a":1}', "[", "--input", "--delay", "5m", "--at", "2030-01-31", "--follow", "--all"],
  ...["--health-port", "99999999", "--", "-", "=", "--namespace=", "-n=", "none-*.ts", "\u001b[31m", "--server", "-s"],
  ...oddNames,
];

export const commandLines: Fuzzer<Words> = {
  name: "command-lines",
  make: (random) =>
    Array.from({ length: random.whole(0, 6) }, () => (random.chance(0.05) ? random.text(0, 20) : random.pick(words))),
  check: async (given) => {
    const { output, code } = await running([...given]);
    assert.ok([0, 1, 2].includes(code), `exit code ${code}`);
    assert.ok(output.trim() !== "" || code === 0, "it says nothing");
    assert.doesNotMatch(output, /^\s+at .*[/(].*:\d+/m, "a stack is no help");
  },
  smaller: without,
  show: (given) => JSON.stringify(given),
};

const mostMs = 20_000;

/** In this process, what it writes kept; the address that it would use is none, so that nothing is connected to. */
async function running(args: string[]): Promise<{ readonly output: string; readonly code: number }> {
  const kept = {
    env: process.env.NATS_URL,
    code: process.exitCode,
    out: process.stdout.write,
    err: process.stderr.write,
  };
  const { log, error } = console;
  let output = "";
  const keep = ((chunk: unknown) => {
    output += String(chunk);
    return true;
  }) as typeof process.stdout.write;
  const say = (...said: unknown[]) => void keep(`${said.map(String).join(" ")}\n`);
  Object.assign(process.stdout, { write: keep });
  Object.assign(process.stderr, { write: keep });
  Object.assign(console, { log: say, error: say });
  process.env.NATS_URL = "no address";
  process.exitCode = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not ended after ${mostMs / 1_000} s`)), mostMs);
  });
  try {
    await Promise.race([main(args.map((arg) => (arg.startsWith("nats:") ? "x" : arg))), late]);
    return { output, code: Number(process.exitCode) };
  } finally {
    clearTimeout(timer);
    Object.assign(process.stdout, { write: kept.out });
    Object.assign(process.stderr, { write: kept.err });
    Object.assign(console, { log, error });
    process.exitCode = kept.code ?? 0;
    if (kept.env === undefined) delete process.env.NATS_URL;
    else process.env.NATS_URL = kept.env;
  }
}
