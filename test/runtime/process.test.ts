// What one process can know of another.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { hasEnded, processName } from "../../src/runtime/process.ts";
import { test } from "../support/harness.ts";

test("hasEnded: a process of this machine has ended once its number is free; of others nothing is known", async () => {
  const own = processName();
  assert.equal(hasEnded(own), false);
  const [host, , started, space] = own.split("/");
  const nameOf = (pid: number | undefined, where = space) => `${host}/${pid}/${started}/${where}`;
  const child = spawn("sleep", ["60"]);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  assert.equal(hasEnded(nameOf(child.pid)), false);
  child.kill("SIGKILL");
  await ended;
  assert.equal(hasEnded(nameOf(child.pid)), process.platform === "linux");
  for (const elsewhere of ["another boot", ""]) assert.equal(hasEnded(nameOf(child.pid, elsewhere)), false);
  assert.equal(hasEnded("named by an older version/1/5"), false);
});
