// A signal that comes before everything is open. The default action would end an ordinary process just as well, but not the first process of a
// container: so the exit code has to be that of a clean end.
import assert from "node:assert/strict";
import { startScript } from "../support/child.ts";
import { test } from "../support/harness.ts";

const runtime = "Bun" in globalThis ? "bun" : "deno";
const script = new URL("./fixtures/starting.ts", import.meta.url).pathname;

for (const role of ["worker", "engine"] as const) {
  test(`start: SIGTERM while the ${role} is still connecting ends the process`, async () => {
    const child = startScript(runtime, script, { args: [role] });
    await child.said("connecting");
    child.send("SIGTERM");
    assert.equal(await child.exited, 0);
    assert.doesNotMatch(child.output(), /failed/);
  }, 30_000);
}
