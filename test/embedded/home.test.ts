// What stands in a directory that was used before: any of it may be damaged, or of a process that was killed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Home } from "../../src/embedded/home.ts";
import { nextNumberedLock } from "../../src/embedded/numbered-lock.ts";
import { test } from "../support/harness.ts";

function inHome(body: (home: Home, addressFile: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "natchet-home-"));
  try {
    const home = new Home(directory);
    home.prepare();
    body(home, join(directory, "url.json"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const address = { url: "nats://127.0.0.1:4300", port: 4300, pid: 77, id: "NABC", version: "2.15.1" };

test("home: an address that no owner would write is none, and is written over", () =>
  inHome((home, file) => {
    const damaged: unknown[] = [
      null,
      [],
      "text",
      {},
      { ...address, url: "nats://10.0.0.7:4300" },
      { ...address, url: "garbage" },
      { ...address, url: "nats://127.0.0.1:4301" },
      { ...address, url: "nats://guess@127.0.0.1:4300" },
      { ...address, port: "4300" },
      { ...address, port: 99_999, url: "nats://127.0.0.1:99999" },
      { ...address, pid: -1 },
      { ...address, id: 5 },
    ];
    const texts = ["", '{"url":"nats://127', "\0\0\0\0", ...damaged.map((one) => JSON.stringify(one))];
    for (const text of texts) {
      writeFileSync(file, text);
      assert.equal(home.readAddress(), undefined, text);
    }
    rmSync(file);
    mkdirSync(file);
    assert.equal(home.readAddress(), undefined, "a directory");
    home.writeAddress(address);
    assert.deepEqual(home.readAddress(), address);
  }));

test("home: a token is made once, and anew only where it is damaged", () =>
  inHome((home) => {
    const token = home.token();
    assert.match(token, /^[0-9a-z]{40}$/);
    home.prepare();
    assert.equal(new Home(home.directory).token(), token);
    assert.match(readFileSync(home.configuration, "utf8"), new RegExp(`authorization \\{ token: "${token}" \\}`));
    home.writeAddress({ ...address, url: home.urlOf(4300) });
    assert.equal(home.readAddress()!.url, `nats://${token}@127.0.0.1:4300`);
    for (const text of ["", token.slice(1), `${token}" }\n`]) {
      writeFileSync(join(home.directory, "token"), text);
      assert.match(home.token(), /^[0-9a-z]{40}$/);
      assert.notEqual(home.token(), token);
    }
  }));

// The owner and the wrapper were killed while the server was starting: nobody had written its address yet.
test("numbered lock: held as long as the server lives, whoever started it is gone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "natchet-home-"));
  const home = new Home(directory);
  home.prepare();
  const server = spawn("/bin/sh", ["-c", "read -r _", "sh", home.log], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  writeFileSync(`${home.lock}.00000001`, `999999999\n${server.pid}\n`);
  assert.equal(nextNumberedLock(home), undefined);
  server.stdin!.end();
  await ended;
  assert.equal(nextNumberedLock(home), `${home.lock}.00000002`);
  rmSync(directory, { recursive: true, force: true });
});
