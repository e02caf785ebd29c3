// Trouble that does not pass by itself: whoever waits is told what it is, and goes on when it is over.
import assert from "node:assert/strict";
import { QueueFull } from "../../src/domain/errors.ts";
import type { Log } from "../../src/domain/log.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { StoreWatch } from "../../src/nats/store-watch.ts";
import { ensureStreams, remakeStream } from "../../src/nats/streams.ts";
import { utf8 } from "../../src/wire/bytes.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { makeSmallDisk } from "../support/small-disk.ts";
import { waitFor } from "../support/wait-for.ts";
import { inScene, type Scene } from "./scene.ts";

const subjects = new Subjects("test");
const subject = (id: string | number) => subjects.run("a", String(id));

async function watched({ link, run }: Scene, recreate = false) {
  const nats = await link();
  const options = { replicas: 1, recreate } as const;
  await run(ensureStreams(nats, subjects, options));
  const said: string[] = [];
  const say = (level: string) => (message: string) => void said.push(`${level} ${message}`);
  const log: Log = { debug: () => {}, info: say("info"), warn: say("warn"), error: say("error") };
  const remake = (stream: string) => remakeStream(nats, subjects, options, stream);
  const store = new StoreWatch({ link: nats, subjects, log, remake });
  const publisher = await run(makePublisher(nats, { watch: store.runs }));
  return { nats, store, said, publisher, append: (id: string | number) => publisher.append(subject(id), utf8("x"), 0) };
}

test("stream watch: a deleted log is told once, appends fail until it is there again", () =>
  inScene(async (scene) => {
    const { nats, store, said, append } = await watched(scene);
    await append(1);
    await nats.nc.request(`$JS.API.STREAM.DELETE.${subjects.stream}`);
    const startedAt = performance.now();
    const waiting = append(2);
    await assert.rejects(
      waiting,
      /StoreUnavailable.*NATCHET_test is gone: it was deleted; restore it.*recreate: true/s,
    );
    assert.ok(performance.now() - startedAt < 10_000);
    await assert.rejects(append(3), /is gone/);
    assert.equal(store.trouble?.fault, "gone");
    await scene.run(ensureStreams(nats, subjects, { replicas: 1, recreate: true }));
    await waitFor(() => store.trouble === undefined, 10_000, "the log to be found again");
    assert.deepEqual(await append(3), { ok: true, seq: 1 });
    assert.deepEqual(
      said.map((line) => line.slice(0, 5)),
      ["error", "warn "],
    );
    store.close();
  }));

test("store watch: the lease is made anew with greater epochs, the log only where that is asked for", () =>
  inScene(async (scene) => {
    const { nats, store, append } = await watched(scene, true);
    const lease = `KV_${subjects.leaseBucket}`;
    const put = async () => ((await nats.nc.request(`${subjects.lease}.leader`, "x")).json() as { seq: number }).seq;
    const before = await put();
    await append(1);
    await append(2);
    for (const stream of [lease, subjects.stream]) await nats.nc.request(`$JS.API.STREAM.DELETE.${stream}`);
    const isThere = () =>
      put().then(
        () => true,
        () => false,
      );
    await waitFor(isThere, 15_000, "the lease to be made anew");
    assert.ok((await put()) > before);
    await waitFor(
      () =>
        append("new").then(
          ({ ok }) => ok,
          () => false,
        ),
      15_000,
      "the log to be made anew",
    );
    store.close();
  }));

test("streams: a log that was deleted is not made anew by whoever starts next", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    await nats.nc.request(`$JS.API.STREAM.DELETE.${subjects.stream}`);
    await assert.rejects(run(ensureStreams(nats, subjects, { replicas: 1 })), /NATCHET_test: it was deleted/);
    await run(ensureStreams(nats, subjects, { replicas: 1, recreate: true }));
  }));

// What nats-server 2.15 does after a failed write: it answers no publish to that stream any more, until it is restarted. Older ones say what failed, each time.
test("stream watch: a log that cannot be written is told with the server's reason, and taken again after a restart", async () => {
  const disk = await makeSmallDisk();
  await inScene(
    async (scene) => {
      const { store, said, append, publisher } = await watched(scene);
      const large = (id: string) => publisher.append(subject(id), new Uint8Array(200_000), 0);
      const filled = await Promise.allSettled(["a", "b", "c", "d"].map(large));
      const refused = filled.filter(({ status }) => status === "rejected");
      assert.ok(refused.length > 0 && refused.length < 4, `${refused.length} refused`);
      const { reason } = refused[0] as PromiseRejectedResult;
      const isTold = reason instanceof QueueFull;
      const sentence = isTold ? /write .*: file too large/ : /accepts no writes: write .*; make room .* restart/;
      assert.match(String(reason), sentence);
      assert.equal(store.trouble?.fault, isTold ? "full" : "broken");
      if (!isTold) await assert.rejects(append(1), /accepts no writes/);
      disk.grow();
      await scene.server.kill();
      await scene.server.restart();
      await waitFor(() => store.trouble === undefined, 15_000, "the log to be in order");
      assert.equal((await append(1)).ok, true);
      assert.deepEqual(
        said.map((line) => line.slice(0, 5)),
        ["error", "warn "],
      );
      store.close();
    },
    { program: disk.program },
  );
  disk.remove();
}, 60_000);
