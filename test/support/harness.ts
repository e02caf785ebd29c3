// One set of names for `bun test` and `deno test`: the same test files run on both. Assertions come from `node:assert/strict`.
const runtime: any = await import("Bun" in globalThis ? "bun:test" : "node:test");

type Body = () => void | Promise<void>;

/** Registers a test; on both runtimes it fails after `timeoutMs`. */
export function test(name: string, body: Body, timeoutMs = 60_000): void {
  if ("Bun" in globalThis) runtime.test(name, body, timeoutMs);
  else runtime.test(name, { timeout: timeoutMs }, body);
}
export const describe: (name: string, body: () => void) => void = runtime.describe;
/** `timeoutMs` for what takes longer than a test may; Bun alone limits it otherwise. */
export function beforeAll(body: Body, timeoutMs?: number): void {
  if ("Bun" in globalThis) runtime.beforeAll(body, timeoutMs);
  else runtime.before(body);
}
export const afterAll: (body: Body) => void = runtime.afterAll ?? runtime.after;
export const beforeEach: (body: Body) => void = runtime.beforeEach;
export const afterEach: (body: Body) => void = runtime.afterEach;
