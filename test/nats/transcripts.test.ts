// The stream of what runs say: made late, bounded, made again; and a reader of one of its subjects.
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsLink } from "../../src/nats/link.ts";
import { ensureTranscripts, makeTranscriptStore, Transcripts } from "../../src/nats/transcripts.ts";
import { utf8 } from "../../src/wire/bytes.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { inScene } from "./scene.ts";

const subjects = new Subjects("test");
const stream = subjects.logsStream;
const replicas = 1;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function infoOf(link: NatsLink) {
  return (await jetstreamManager(link.nc)).streams.info(stream);
}
const limitsOf = async (link: NatsLink) => {
  const { max_age, max_bytes, discard } = (await infoOf(link)).config;
  return { hours: max_age / 3.6e12, megabytes: max_bytes / 1024 ** 2, discard };
};

test("transcripts: the stream is made with the first entry, by many at once", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const stores = await Promise.all(
      Array.from({ length: 5 }, async () => run(makeTranscriptStore(await link(), subjects, { replicas }))),
    );
    await assert.rejects(() => infoOf(nats), /stream not found/);
    assert.equal(await stores[0]!.newest("t/1"), undefined);
    await Promise.all(stores.map((store, n) => store.append("t/1", utf8(`entry ${n}`))));
    assert.deepEqual(await limitsOf(nats), { hours: 24, megabytes: 1024, discard: "old" });
    assert.equal((await infoOf(nats)).state.messages, 5);
    assert.match(text((await stores[0]!.newest("t/1"))!.data), /^entry \d$/);
  }));

test("transcripts: named limits are put into force, the others stay", () =>
  inScene(async ({ link }) => {
    const nats = await link();
    await ensureTranscripts(nats, subjects, { replicas, maxAgeMs: 60_000, maxBytes: 10 * 1024 ** 2 });
    assert.deepEqual(await limitsOf(nats), { hours: 1 / 60, megabytes: 10, discard: "old" });
    await ensureTranscripts(nats, subjects, { replicas });
    assert.deepEqual(await limitsOf(nats), { hours: 1 / 60, megabytes: 10, discard: "old" });
    await ensureTranscripts(nats, subjects, { replicas, maxAgeMs: 48 * 3_600_000 });
    assert.deepEqual(await limitsOf(nats), { hours: 48, megabytes: 10, discard: "old" });
  }));

test("transcripts: a server with little room keeps less, unless a size was asked for", () =>
  inScene(
    async ({ link, run }) => {
      const nats = await link();
      const asked = ensureTranscripts(nats, subjects, { replicas, maxBytes: 500 * 1024 ** 2 });
      await assert.rejects(() => asked, /make or update stream NATCHET_test_LOGS: insufficient storage/);
      const store = await run(makeTranscriptStore(nats, subjects, { replicas }));
      await store.append("t/1", utf8("kept"));
      assert.equal((await limitsOf(nats)).megabytes, 64);
    },
    { config: "jetstream { max_file_store: 209715200 }" },
  ));

test("transcripts: a stream that was removed is made again", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const store = await run(makeTranscriptStore(nats, subjects, { replicas }));
    await store.append("t/1", utf8("before"));
    await (await jetstreamManager(nats.nc)).streams.delete(stream);
    await store.append("t/1", utf8("after"));
    assert.equal(text((await store.newest("t/1"))!.data), "after");
  }));

test("transcripts: a user who may not make the stream is told so, each time", () =>
  inScene(
    async ({ link, run }) => {
      const nats = await link({ user: "ann", password: "x" });
      const store = await run(makeTranscriptStore(nats, subjects, { replicas }));
      for (let n = 0; n < 2; n++) await assert.rejects(() => store.append("t/1", utf8("x")), /allow|may not/);
    },
    {
      config: `authorization { users: [
        { user: ann, password: x, permissions: { publish: { deny: "$JS.API.STREAM.CREATE.>" } } }
      ] }`,
    },
  ));

test("transcripts: a reader sees its run only, waits for the stream, and loses nothing when it pauses", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const read: string[] = [];
    const reader = new Transcripts(nats, subjects).follow("t/ä b", {
      onMessage: (_seq, _subject, data) => {
        read.push(text(data));
        if (read.length === 10) reader.pause();
      },
    });
    const store = await run(makeTranscriptStore(await link(), subjects, { replicas }));
    for (let n = 0; n < 100; n++) {
      await store.append("t/ä b", utf8(`${n}`));
      await store.append("t/other", utf8("other"));
    }
    await waitFor(() => read.length === 10, 10_000, "the pause");
    await store.append("t/ä b", utf8("100"));
    assert.equal(read.length, 10);
    reader.resume();
    await waitFor(
      () => read.length === 101,
      10_000,
      () => `all, not only ${read.length}`,
    );
    assert.deepEqual(
      read,
      Array.from({ length: 101 }, (_, n) => `${n}`),
    );
    reader.close();
    await waitFor(async () => (await infoOf(nats)).state.consumer_count === 0, 20_000, "the consumer to be gone");
  }));
