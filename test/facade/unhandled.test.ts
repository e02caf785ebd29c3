// Errors of user code that nobody handles, in processes of their own on both runtimes.
import assert from "node:assert/strict";
import { join } from "node:path";
import { testServer } from "../../src/testing/mod.ts";
import { startScript } from "../support/child.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

const runtimes = ["bun", "deno"] as const;
const scriptOf = (runtime: (typeof runtimes)[number], mode: string) =>
  startScript(runtime, join(import.meta.dirname!, "fixtures", "unhandled.ts"), {
    env: { NATS_URL: server.url, NAMESPACE: `${mode}-${runtime}`, MODE: mode },
  });
const toldIn = (output: string) => output.match(/error an error that no code handled/g)?.length;

test("unhandled: the process goes on, the errors are told, with their run where the runtime knows it", async () => {
  for (const runtime of runtimes) {
    const child = scriptOf(runtime, "log");
    assert.equal(await child.exited, 0, child.output());
    assert.match(child.output(), /left left/);
    assert.equal(toldIn(child.output()), 4, child.output());
    assert.match(
      child.output(),
      /handled worker=careless run=leave\/\S+ error="(nobody awaits this|TypeError: thrown by a timer)"\n {4}at .*unhandled\.ts/,
    );
    assert.match(child.output(), /stored: an error that no code handled (thrown by a timer|nobody awaits)/);
  }
});

test("unhandled: the strict way drains, then ends the process with code 1", async () => {
  for (const runtime of runtimes) {
    const child = scriptOf(runtime, "exit");
    assert.equal(await child.exited, 1, child.output());
    assert.match(child.output(), /slow has ended/);
  }
});

test("unhandled: what is of no run is left to the program that natchet is a guest of", async () => {
  for (const runtime of runtimes) {
    const child = scriptOf(runtime, "guest");
    assert.equal(await child.exited, 1, child.output());
    assert.match(child.output(), /still here/);
    assert.equal(toldIn(child.output()), 2, child.output());
    assert.match(child.output(), /not of a run/);
  }
});
