// Runs one command of the repository's own tools to its end.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./child.ts";

export interface Finished {
  readonly code: number | null;
  /** stdout and stderr, in the order in which they came. */
  readonly output: string;
}

/** `tool` is a program of node_modules/.bin: `bun`, `deno`, `tsc`. */
export function runTool(tool: string, args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, "node_modules", ".bin", tool), args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
