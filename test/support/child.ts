// Starts a script of this repository in a process of its own, on Bun or Deno, and never leaves it behind.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { waitFor } from "./wait-for.ts";

export type Runtime = "bun" | "deno";
export const root: string = join(import.meta.dirname!, "..", "..");
const bin = (name: Runtime) => join(root, "node_modules", ".bin", name);

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) if (child.pid !== undefined) child.kill("SIGKILL");
});

export interface Child {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  /** Everything written to stdout and stderr so far. */
  output(): string;
  /** What of it went to stdout. */
  stdout(): string;
  send(signal: NodeJS.Signals): void;
  /** Waits until the output holds the text. */
  said(text: string | RegExp, timeoutMs?: number): Promise<void>;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
}

export function startScript(
  runtime: Runtime | "node",
  file: string,
  options: {
    args?: readonly string[];
    env?: Record<string, string>;
    cwd?: string;
    flags?: readonly string[];
    program?: string;
  } = {},
): Child {
  const { flags = [] } = options;
  const before = { bun: ["run"], deno: ["run", "-A", "--quiet"], node: [] }[runtime];
  const args = [...before, ...flags, file, ...(options.args ?? [])];
  const child = spawn(options.program ?? (runtime === "node" ? "node" : bin(runtime)), args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let output = "";
  let stdout = "";
  child.stdout!.on("data", (chunk) => {
    output += chunk;
    stdout += chunk;
  });
  child.stderr!.on("data", (chunk) => (output += chunk));
  const exited = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  void exited.then(() => children.delete(child));
  return {
    pid: child.pid!,
    exited,
    output: () => output,
    stdout: () => stdout,
    send: (signal) => void process.kill(child.pid!, signal),
    said: (text, timeoutMs = 20_000) =>
      waitFor(
        () => (typeof text === "string" ? output.includes(text) : text.test(output)),
        timeoutMs,
        () => `${text} in the output of ${file}:\n${output}`,
      ),
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
