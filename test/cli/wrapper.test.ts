// `npx natchet` under Node: a wrapper around Bun or Deno, which passes signals on and leaves nothing behind.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";

describe("natchet.mjs under Node", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  /** `sh` first, which may set up how signals are taken, and then becomes the wrapper. */
  async function open(namespace: string, prelude = "") {
    const script = `${prelude} exec node ${join(root, "src", "cli", "natchet.mjs")} engine`;
    const wrapper = spawn("sh", ["-c", script], {
      cwd: root, // where Bun is found
      env: { ...process.env, NATS_URL: server.url, NATCHET_NAMESPACE: namespace },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [wrapper.stdout, wrapper.stderr]) stream.on("data", (chunk) => (output += chunk));
    await waitFor(
      () => output.includes("natchet 0."),
      30_000,
      () => output,
    );
    const inner = await innerOf(wrapper.pid!); // of what runs by itself there is none
    const exited = new Promise<number | null>((resolve) => wrapper.on("exit", resolve));
    return { wrapper, inner, exited, output: () => output };
  }

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    test(`passes ${signal} on and ends with the code of a clean end`, async () => {
      const { wrapper, inner, exited, output } = await open(`wrapped-${signal}`);
      process.kill(wrapper.pid!, signal);
      assert.equal(await exited, 0, output());
      assert.equal(isAlive(inner), false);
    }, 60_000);

  test("takes the program along when it is killed", async () => {
    const { wrapper, inner, output } = await open("wrapped-killed");
    process.kill(wrapper.pid!, "SIGKILL");
    await waitFor(() => !isAlive(inner), 20_000, output);
  }, 60_000);

  // Node itself takes a SIGHUP that is ignored for one that is not; Bun and Deno keep it so.
  test("a program under nohup goes on after SIGHUP", async () => {
    const main = `${process.execPath} run ${"Deno" in globalThis ? "-A" : ""} ${join(root, "src", "cli", "main.ts")}`;
    const { wrapper, exited } = await open("nohup", `trap '' HUP; exec ${main} engine;`);
    // Were they heard, the second one, later than an echo, would end it at once, with another code.
    for (let i = 0; i < 2; i++) {
      process.kill(wrapper.pid!, "SIGHUP");
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    process.kill(wrapper.pid!, "SIGTERM");
    assert.equal(await exited, 0);
  }, 60_000);
});

async function innerOf(pid: number): Promise<number> {
  const child: ChildProcess = spawn("ps", ["-o", "pid=", "--ppid", String(pid)]);
  let text = "";
  child.stdout!.on("data", (chunk) => (text += chunk));
  await new Promise((resolve) => child.on("close", resolve));
  return Number(text.trim().split(/\s+/)[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
