import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
    /** Waits until the supervisor has said so many lines that hold this text. */
    told: (text: string, count = 1) =>
      waitFor(
        () => said.filter((line) => line.includes(text)).length >= count,
        10_000,
        () => `${text} in ${said.join("\n")}`,
      ),
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
    await scene.told("ready");
    scene.replaceBy("second");
    await scene.journal.until("drained", 1, 10_000);
    assert.deepEqual(
      scene.journal
        .read()
        .filter(({ event }) => event !== "loaded")
        .map(({ event, name }) => `${name} ${event}`),
      ["first ready", "second ready", "first drained"],
    );
  });

  test("keeps the old process when the new one does not start", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    await scene.told("ready");
    scene.replaceBy("broken");
    await scene.told("keeps working");
    assert.deepEqual(scene.journal.read("drained"), []);
  });

  test("starts a process again that ended by itself", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    await scene.told("ready");
    const [first] = scene.journal.read("ready");
    process.kill(first!.pid, "SIGKILL");
    await scene.told("ready", 2);
    const [, second] = scene.journal.read("ready");
    assert.notEqual(second!.pid, first!.pid);
  });

  test("starts a process again that was ended by a run before it was ready, and names the run", async () => {
    await using scene = await open();
    scene.replaceBy("poisoned");
    await scene.told("the worker is ready");
    assert.match(scene.said[0]!, /^the worker process ended \(code 3, by the code of run send\/x\); restarting it$/);
  });

  test("waits for a change when a file ends the process while it is imported", async () => {
    await using scene = await open();
    scene.replaceBy("quits");
    await scene.told("the worker did not start (code 7); waiting for a change");
    scene.replaceBy("first");
    await scene.told("the worker is ready");
  });

  test("lets a version that is starting get ready when files change meanwhile, and then starts the newest one once", async () => {
    await using scene = await open();
    scene.replaceBy("slow");
    await scene.journal.until("loaded", 1, 10_000);
    for (const name of ["second", "third", "fourth"]) scene.replaceBy(name);
    await writeFile(`${scene.journal.path}.slow`, "");
    await scene.told("reloaded");
    assert.deepEqual(
      scene.journal.read("ready").map(({ name }) => name),
      ["slow", "fourth"],
    );
    assert.equal(scene.said.filter((line) => line.includes("the newest one follows")).length, 1);
  });

  test("stop drains and leaves no process behind", async () => {
    await using scene = await open();
    scene.replaceBy("first");
    await scene.told("ready");
    const [first] = scene.journal.read("ready");
    await scene.supervisor.stop();
    assert.equal(scene.journal.read("drained").length, 1);
    assert.throws(() => process.kill(first!.pid, 0), /ESRCH/);
  });
});
