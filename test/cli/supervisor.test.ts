import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Supervisor } from "../../src/cli/supervisor.ts";
import { describe, test } from "../support/harness.ts";
import { Journal } from "../support/journal.ts";
import { waitFor } from "../support/wait-for.ts";

const script = join(import.meta.dirname!, "fixtures", "supervised.ts");
const run = "Bun" in globalThis ? ["run"] : ["run", "-A", "--quiet"];

// The command is read at each start, so that a test changes what the next process is.
async function open() {
  const folder = await mkdtemp(join(tmpdir(), "natchet-supervisor-"));
  const journal = new Journal(join(folder, "journal"));
  const command: [string, ...string[]] = [process.execPath, ...run, script, "first"];
  const said: string[] = [];
  const supervisor = new Supervisor({
    command,
    env: { JOURNAL: journal.path },
    say: (line) => said.push(line),
    restartMs: 10,
  });
  return {
    journal,
    said,
    supervisor,
    replaceBy(name: string) {
      command[command.length - 1] = name;
      supervisor.replace();
    },
    async [Symbol.asyncDispose]() {
      await supervisor.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describe("Supervisor", () => {
  test("drains the old process only after the new one is ready", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    await scene.journal.until("ready", 1, 10_000);
    scene.replaceBy("second");
    await scene.journal.until("drained", 1, 10_000);
    assert.deepEqual(
      scene.journal.read().map(({ event, name }) => `${name} ${event}`),
      ["first ready", "second ready", "first drained"],
    );
  });

  test("keeps the old process when the new one does not start", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    await scene.journal.until("ready", 1, 10_000);
    scene.replaceBy("broken");
    await waitFor(
      () => scene.said.some((line) => line.includes("keeps working")),
      10_000,
      () => scene.said.join("\n"),
    );
    assert.deepEqual(scene.journal.read("drained"), []);
  });

  test("starts a process again that ended by itself", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    const [first] = await scene.journal.until("ready", 1, 10_000);
    process.kill(first!.pid, "SIGKILL");
    const [, second] = await scene.journal.until("ready", 2, 10_000);
    assert.notEqual(second!.pid, first!.pid);
  });

  test("stop drains and leaves no process behind", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    const [first] = await scene.journal.until("ready", 1, 10_000);
    await scene.supervisor.stop();
    assert.equal(scene.journal.read("drained").length, 1);
    assert.throws(() => process.kill(first!.pid, 0), /ESRCH/);
  });
});
