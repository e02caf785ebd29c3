// With the configuration on the page every role can do its work, and NATS refuses none of it.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, start, startEngine, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { root } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";

const follow = Promise.withResolvers<string>();

@Worker({ name: "talk", slots: 5 })
class TalkWorker {
  @Task("talk")
  async talk(to: string, ctx: TaskContext) {
    ctx.log.info(`to ${to}`);
    await ctx.stream(to);
    const natchet = await connect({ ...as("worker"), url });
    follow.resolve(await natchet.task<string, string>("listen").run(to));
    await natchet.close();
    return `talked to ${to}`;
  }

  @Task("listen")
  async listen(to: string) {
    return `listened to ${to}`;
  }
}

const as = (user: string) =>
  ({ user, password: "change-me", inboxPrefix: `_INBOX.${user}`, namespace: "prod", log: "silent" }) as const;
let url = "";

test("docs/production/permissions.md: each role does its work, and the server refuses nothing", async () => {
  const page = readFileSync(join(root, "docs/production/permissions.md"), "utf8");
  const [, config] = /^```\n([\s\S]*?)^```/m.exec(page)!;
  const logs = mkdtempSync(join(tmpdir(), "natchet-permissions-"));
  const log = join(logs, "server.log");
  const server = await startNatsServer({ config: config!, args: ["-l", log] });
  url = server.url;
  try {
    const engine = await startEngine({ ...as("engine"), url, signals: false });
    const worker = await start(TalkWorker, { ...as("worker"), url, engine: "off", signals: false });
    const client = await connect({ ...as("client"), url });
    const operator = await connect({ ...as("operator"), url });

    const run = await client.task<string, string>("talk").enqueue("ada", { id: "ada" });
    assert.equal(await run.result(), "talked to ada");
    assert.equal(await follow.promise, "listened to ada");
    assert.equal((await run.status()).state, "completed");
    assert.equal((await client.task<string, string>("talk").enqueue("ada", { id: "ada" })).created, false);
    const lines = await Array.fromAsync(run.logs(), ({ message }) => message);
    assert.deepEqual(lines, ["to ada"]);
    assert.deepEqual(await Array.fromAsync(run.stream(), ({ value }) => value), ["ada"]);

    await operator.pause({ task: "talk" });
    const later = await operator.task<string, string>("talk").enqueue("grace", { delay: "1h" });
    await later.reschedule({ delay: "2h" });
    assert.equal(await later.cancel(), "cancelled");
    await operator.resume({ task: "talk" });
    await operator.crons.set("hourly", { task: "listen", cron: "0 * * * *" });
    await operator.crons.delete("hourly");
    const [workers, queues, { runs }] = await Promise.all([operator.workers(), operator.queues(), operator.list()]);
    assert.ok(workers.length === 1 && queues.length > 0 && runs.length === 3);

    await Promise.all([client.close(), operator.close()]);
    await worker.stop();
    await engine.stop();
    const said = readFileSync(log, "utf8");
    assert.match(said, /Server is ready/);
    assert.deepEqual(said.match(/.*Violation.*/gi) ?? [], []);
  } finally {
    await server.stop();
    rmSync(logs, { recursive: true });
  }
}, 60_000);
