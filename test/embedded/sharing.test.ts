import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { probeServer } from "../../src/embedded/server-watch.ts";
import { afterAll, describe, test } from "../support/harness.ts";
import { loginIn } from "../support/login-in.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import {
  addressOf,
  endMember,
  isAlive,
  type Member,
  type MemberOptions,
  makeDirectory,
  readStored,
  removeDirectory,
  startMember,
  store,
  testBinary,
  untilGone,
} from "./member.ts";

const directories: string[] = [];
const members: Member[] = [];
const start = (directory: string, options?: MemberOptions) => {
  const member = startMember(directory, options);
  members.push(member);
  return member;
};
const directory = () => {
  const made = makeDirectory();
  directories.push(made);
  return made;
};
const untilServedBy = (home: string, differentFrom: number) =>
  waitFor(
    async () => {
      const address = addressOf(home);
      return address.pid !== differentFrom && (await probeServer(address.url, 500))?.id === address.id;
    },
    10_000,
    "a new server to answer",
  );

afterAll(async () => {
  await Promise.all(members.map((member) => member.kill()));
  for (const made of directories) {
    const pid = addressOf(made)?.pid;
    if (pid !== undefined) await untilGone(pid, "the server of a killed owner");
    removeDirectory(made);
  }
});

describe("embedded server", () => {
  test("two processes that start at once share one server", async () => {
    const home = directory();
    const [a, b] = [start(home), start(home)];
    const ready = await Promise.all([a.ready(), b.ready()]);
    assert.equal(ready[0].url, ready[1].url);
    assert.deepEqual(ready.map((one) => one.isOwner).sort(), [false, true]);
    await Promise.all([endMember(a), endMember(b)]);
    await untilGone(addressOf(home).pid, "the server");
  });

  // The owner cannot stop anything any more: the closed pipe must stop the server, the freed lock must let exactly one survivor in, and its
  // clients, which know only the old address, must find the data there again.
  test("a survivor of a killed owner starts the server again on the same store and port", async () => {
    const home = directory();
    const owner = start(home);
    const { url } = await owner.ready();
    const survivors = [start(home), start(home)];
    await Promise.all(survivors.map((survivor) => survivor.ready()));
    await store(url, "before the kill");
    const client = await connect({ ...loginIn(url), reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    const { pid } = addressOf(home);

    await owner.kill();
    await untilGone(pid, "the killed owner's server");
    await untilServedBy(home, pid);
    assert.equal(addressOf(home).url, url);
    const answers = () =>
      client.flush().then(
        () => true,
        () => false,
      );
    await waitFor(answers, 10_000, "the client to reconnect to the old address");
    await client.close();
    assert.deepEqual(await readStored(url), ["before the kill"]);
    const again = /took over|attached again/;
    await Promise.all(survivors.map((survivor) => survivor.said(again)));
    assert.equal(survivors.filter((survivor) => survivor.output().includes("took over")).length, 1);
    for (const survivor of survivors) await endMember(survivor);
    await untilGone(addressOf(home).pid, "the last server");
  });

  // Everybody on the machine can reach the port; the token is in files that only this user can read.
  test("only who can read its files is let in", async () => {
    const home = directory();
    const owner = start(home);
    const { url } = await owner.ready();
    const { servers } = loginIn(url);
    for (const login of [{}, { token: "guess" }, { user: "a", pass: "b" }])
      await assert.rejects(connect({ servers, reconnect: false, ...login }), /authorization violation/i);
    assert.equal(addressOf(home).url, url);
    assert.equal(statSync(home).mode & 0o777, 0o700);
    for (const file of ["token", "url.json", "server.conf"])
      assert.equal(statSync(join(home, file)).mode & 0o777, 0o600, file);
    assert.doesNotMatch(owner.output().replace(/^\{.*$/gm, ""), new RegExp(new URL(url).username), "in no log line");
    await endMember(owner);
    await untilGone(addressOf(home).pid, "the server");
  });

  // Who is attached to a server without a token goes on when the next one, which has one, is started.
  test("a directory of an earlier version is used, and closed when its server is started again", async () => {
    const home = directory();
    mkdirSync(home, { recursive: true, mode: 0o755 });
    const old = await startNatsServer({ store: home });
    const { id, version } = (await probeServer(old.url, 1_000))!;
    const address = { url: `nats://127.0.0.1:${old.port}`, port: old.port, pid: old.pid, id, version };
    writeFileSync(join(home, "url.json"), JSON.stringify(address), { mode: 0o644 });
    const member = start(home);
    const { url, isOwner } = await member.ready();
    assert.equal(isOwner, false);
    await store(url, "of the old server");
    const client = await connect({ ...loginIn(url), reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    await old.shutDown();
    await untilServedBy(home, old.pid);
    const answers = () =>
      client.flush().then(
        () => true,
        () => false,
      );
    await waitFor(answers, 10_000, "the client to reconnect with its token");
    await client.close();
    assert.deepEqual(await readStored(url), ["of the old server"]);
    await assert.rejects(connect({ servers: loginIn(url).servers, reconnect: false }), /authorization violation/i);
    assert.equal(statSync(home).mode & 0o777, 0o700);
    await endMember(member);
    await untilGone(addressOf(home).pid, "the new server");
  });

  test("a server that crashes is started again on the same port", async () => {
    const home = directory();
    const owner = start(home);
    const { url } = await owner.ready();
    await store(url, "before the crash");
    const { pid } = addressOf(home);
    process.kill(pid, "SIGKILL");
    await untilServedBy(home, pid);
    assert.equal(addressOf(home).url, url);
    assert.deepEqual(await readStored(url), ["before the crash"]);
    await endMember(owner);
    await untilGone(addressOf(home).pid, "the restarted server");
  });

  test("Ctrl-C drains the process while the server still lives", async () => {
    const home = directory();
    const script = new URL("./fixtures/member.ts", import.meta.url).pathname;
    const args = "Bun" in globalThis ? ["run", script] : ["run", "-A", "--quiet", script];
    const env = { ...process.env, NATCHET_NATS_SERVER: testBinary };
    // A group of its own stands for the terminal's foreground group.
    const child = spawn(process.execPath, [...args, home, "300"], {
      detached: true,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    const exited = new Promise<number | null>((resolve) => child.on("exit", resolve));
    await waitFor(
      () => output.includes(`"ready"`),
      20_000,
      () => `ready in ${output}`,
    );
    const { pid } = addressOf(home);
    process.kill(-child.pid!, "SIGINT");
    assert.equal(await exited, 0);
    assert.match(output, /"event":"drained"[\s\S]*"event":"stopped"/);
    assert.equal(isAlive(pid), false);
  });

  test("the store is used again at the next start, after a clean end and after a kill of everything", async () => {
    const home = directory();
    const first = start(home);
    await store((await first.ready()).url, "one");
    await endMember(first);

    const second = start(home);
    await store((await second.ready()).url, "two");
    const { pid } = addressOf(home);
    process.kill(pid, "SIGKILL");
    await second.kill();
    await untilGone(pid, "the server");
    mkdirSync(join(home, "server.lock.ports.leftover"));
    writeFileSync(join(home, "server.lock.ports.leftover", "nats-server_1.ports"), "{}");

    const third = start(home);
    const { url, isOwner } = await third.ready();
    assert.equal(isOwner, true);
    assert.deepEqual(await readStored(url), ["one", "two"]);
    assert.equal(readdirSync(home).includes("server.lock.ports.leftover"), false);
    await endMember(third);
  });

  test("a stranger on the old port is not taken for the server", async () => {
    const home = directory();
    const first = start(home);
    const { url } = await first.ready();
    await endMember(first);
    const stranger = await listen(Number(new URL(url).port));
    const second = start(home);
    const ready = await second.ready();
    assert.notEqual(ready.url, url);
    assert.equal(ready.isOwner, true);
    await endMember(second);
    stranger.close();
  });

  // As on systems that have no flock(1): the same promises hold with the numbered lock files.
  test("without flock one process owns the server, and a killed owner is followed", async () => {
    const home = directory();
    const env = { PATH: toolsWithoutFlock() };
    const trio = [start(home, { env }), start(home, { env }), start(home, { env })];
    const ready = await Promise.all(trio.map((member) => member.ready()));
    assert.equal(new Set(ready.map((one) => one.url)).size, 1);
    assert.equal(ready.filter((one) => one.isOwner).length, 1);
    assert.ok(readdirSync(home).includes("server.lock.00000001"));
    const owner = trio[ready.findIndex((one) => one.isOwner)]!;
    const { pid } = addressOf(home);
    await owner.kill();
    await untilServedBy(home, pid);
    assert.equal(isAlive(pid), false);
    const survivors = trio.filter((member) => member !== owner);
    await Promise.all(survivors.map((survivor) => survivor.said(/took over|attached again/)));
    assert.equal(survivors.filter((survivor) => survivor.output().includes("took over")).length, 1);
    assert.deepEqual(
      readdirSync(home).filter((name) => /lock\.\d/.test(name)),
      ["server.lock.00000002"],
    );
    await Promise.all(survivors.map(endMember));
    await untilGone(addressOf(home).pid, "the last server");
  });

  test("a server whose owner ends cleanly is taken over", async () => {
    const home = directory();
    const owner = start(home);
    const { url } = await owner.ready();
    const survivor = start(home);
    assert.equal((await survivor.ready()).isOwner, false);
    await endMember(owner);
    await survivor.said("took over");
    assert.equal(addressOf(home).url, url);
    await endMember(survivor);
    await untilGone(addressOf(home).pid, "the server");
  });
});

function toolsWithoutFlock(): string {
  const tools = join(directory(), "..", "tools");
  mkdirSync(tools);
  for (const tool of ["rm", "mkdir", "ps"]) {
    const found = ["/usr/bin", "/bin"].map((folder) => join(folder, tool)).find(existsSync);
    if (found !== undefined) symlinkSync(found, join(tools, tool));
  }
  return tools;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end("INFO {}\r\n"));
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
