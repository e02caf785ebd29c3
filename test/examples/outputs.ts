// Runs an example in a process of its own and returns what it printed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Runtime, root, startScript } from "../support/child.ts";

export const runtimes: readonly Runtime[] = ["bun", "deno"];
export const example = (path: string): string => join(root, "examples", path);

export interface ExampleOptions {
  readonly args?: readonly string[];
  readonly env: Record<string, string>;
}

/** Waits until the example has ended with 0. */
export async function outputOf(runtime: Runtime, path: string, options: ExampleOptions): Promise<string> {
  const child = startScript(runtime, example(path), options);
  const code = await child.exited;
  assert.equal(code, 0, child.output());
  return child.output();
}

/** The JSON object in an output that may hold log lines before it. */
export function jsonIn(output: string): unknown {
  const found = /^\{[\s\S]*^\}/m.exec(output);
  assert.ok(found, `no JSON in:\n${output}`);
  return JSON.parse(found[0]);
}
