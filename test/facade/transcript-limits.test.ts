// What is kept of what runs say, and for how long it is that run's.
import assert from "node:assert/strict";
import {
  connect,
  type DurationInput,
  type LogLine,
  type StreamChunk,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { type TestServer, testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker({ name: "talking", slots: 5 })
class Talking {
  @Task("bulk")
  async bulk({ megabytes }: { megabytes: number }, ctx: TaskContext) {
    for (let n = 0; n < megabytes * 100; n++) await ctx.stream(new Uint8Array(10_000).fill(n));
  }

  @Task("say")
  async say({ words }: { words?: string }, ctx: TaskContext) {
    if (words === undefined) return;
    ctx.log.info(words);
    ctx.progress(0.5, words);
  }
}

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

test("a stream larger than the limit: its oldest chunks are gone, and the first one left says how many", async () => {
  const where = { url: server.url, namespace: "small", log: "silent", signals: false } as const;
  const running = await start(Talking, { ...where, logs: { maxBytes: 1_000_000 } });
  const client = await connect(where);
  const run = await client.task("bulk").enqueue({ megabytes: 5 });
  await run.result();
  const chunks: StreamChunk[] = [];
  for await (const chunk of run.stream()) chunks.push(chunk);
  assert.ok(chunks.length > 0 && chunks.length < 110, `${chunks.length} chunks`);
  assert.equal((chunks[0]!.missed ?? 0) + chunks.length, 500);
  assert.equal((chunks.at(-1)!.value as Uint8Array)[0], 499 % 256);
  const lines: LogLine[] = [];
  for await (const line of run.logs()) lines.push(line);
  assert.deepEqual(
    lines.map(({ dropped }) => dropped),
    [chunks[0]!.missed],
  );
  await client.close();
  await running.stop();
});

test("an id that is used again has its own words only; those of a forgotten run can still be read", async () => {
  const where = { url: server.url, namespace: "again", log: "silent", signals: false } as const;
  const running = await start(Talking, { ...where, retention: { count: 1 } });
  const client = await connect(where);
  const wordsOf = async (id: string) => {
    const words: string[] = [];
    for await (const { message } of client.get("say", id).logs()) words.push(message);
    return words;
  };
  const say = (id: string, words?: string) => client.task("say").run({ words }, { id });
  const forgotten = async (id: string) => {
    let n = 0;
    const isGone = async () => {
      await say(`other-${id}-${++n}`);
      return client
        .get("say", id)
        .status()
        .then(
          () => false,
          () => true,
        );
    };
    await waitFor(isGone, 30_000, `${id} to be forgotten`);
  };
  await say("a", "first");
  assert.deepEqual(await wordsOf("a"), ["first"]);
  await forgotten("a");
  assert.deepEqual(await wordsOf("a"), ["first"]);
  await say("a");
  assert.deepEqual(await wordsOf("a"), []);
  assert.equal(await client.get("say", "a").progress(), undefined);
  await forgotten("a");
  await say("a", "third");
  assert.deepEqual(await wordsOf("a"), ["third"]);
  assert.equal((await client.get("say", "a").progress())?.note, "third");
  await client.close();
  await running.stop();
}, 90_000);

test("a reader who may not read what runs say is told so, and does not wait for ever", async () => {
  const guarded = await startNatsServer({
    config: `authorization { users: [
      { user: worker, password: x }
      { user: ann, password: x, permissions: { publish: { deny: "$JS.API.CONSUMER.CREATE.>" } } }
    ] }`,
  });
  const where = { url: guarded.url, password: "x", log: "silent", signals: false } as const;
  const running = await start(Talking, { ...where, user: "worker" });
  const client = await connect({ ...where, user: "ann" });
  const run = await client.task("say").enqueue({ words: "secret" });
  await run.result();
  await assert.rejects(async () => {
    for await (const _ of run.logs()) assert.fail("a line was read");
  }, /the store cannot read what run say\/\S+ says: .*ermissions/i);
  await client.close();
  await running.stop();
  await guarded.stop();
});

test("limits that cannot be are refused with an example", async () => {
  const wrong = (logs: { maxAge?: DurationInput; maxBytes?: number }) => connect({ url: server.url, logs });
  await assert.rejects(() => wrong({ maxAge: "10ms" }), /logs.maxAge .*10ms must be at least a second.*"24h"/);
  await assert.rejects(() => wrong({ maxAge: "soon" as never }), /logs.maxAge \(NATCHET_LOGS_MAX_AGE\)/);
  await assert.rejects(
    () => wrong({ maxBytes: 5 }),
    /logs.maxBytes \(NATCHET_LOGS_MAX_BYTES\) must be a whole number from 1000000, not 5/,
  );
});
