// Streams and buckets: made once by many, brought up to date, never damaged.
import assert from "node:assert/strict";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { Effect } from "effect";
import type { NatsLink } from "../../src/nats/link.ts";
import { ensureStreams, leaseTtlMs, reserveBytes, type StreamOptions } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { inScene } from "./scene.ts";

const subjects = new Subjects("test");
const names = [subjects.stream, `KV_${subjects.bucket}`, `KV_${subjects.leaseBucket}`];

async function configsOf(link: NatsLink) {
  const manager = await jetstreamManager(link.nc);
  return Promise.all(names.map(async (name) => (await manager.streams.info(name)).config));
}

const failureOf = (link: NatsLink, options: StreamOptions) =>
  Effect.runPromise(Effect.flip(ensureStreams(link, subjects, options)));

test("streams: several processes make them at once, with the settings of the design", () =>
  inScene(async ({ link, run }) => {
    const links = await Promise.all(Array.from({ length: 6 }, () => link()));
    await Promise.all(links.map((nats) => run(ensureStreams(nats, subjects, { replicas: 1 }))));
    const [log, bucket, lease] = await configsOf(links[0]!);
    const { storage, retention, max_msgs_per_subject, discard, allow_direct, max_bytes, max_age, max_consumers } = log!;
    assert.deepEqual(
      { storage, retention, max_msgs_per_subject, discard, allow_direct, max_bytes, max_age, max_consumers },
      {
        storage: "file",
        retention: "limits",
        max_msgs_per_subject: 1,
        discard: "new",
        allow_direct: true,
        max_bytes: -1,
        max_age: 0,
        max_consumers: 100_000,
      },
    );
    assert.deepEqual(log!.subjects, ["natchet.test.run.>", "natchet.test.done.*.>", "natchet.test.signal.>"]);
    assert.deepEqual([bucket!.subjects, bucket!.max_age], [["$KV.natchet_test.>"], 0]);
    assert.equal(lease!.max_age, leaseTtlMs * 1_000_000);
  }));

test("streams: a limit is kept until somebody names another", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const maxBytesOf = async () => (await configsOf(nats))[0]!.max_bytes;
    await run(ensureStreams(nats, subjects, { replicas: 1, maxBytes: 1_000_000 }));
    assert.equal(await maxBytesOf(), 1_000_000 + reserveBytes(1_000_000));
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    assert.equal(await maxBytesOf(), 1_000_000 + reserveBytes(1_000_000));
    await run(ensureStreams(nats, subjects, { replicas: 1, maxBytes: 1_000_000_000 }));
    assert.equal(await maxBytesOf(), 1_250_000_000);
  }));

test("streams: an older stream is brought up to date and keeps its entries", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const manager = await jetstreamManager(nats.nc);
    await manager.streams.add({ name: subjects.stream, subjects: [subjects.runs], max_msgs_per_subject: 1 });
    await nats.nc.request(subjects.run("a", "1"), "kept");
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    const { config, state } = await manager.streams.info(subjects.stream);
    assert.deepEqual(
      [config.subjects, config.discard, config.allow_direct, config.republish?.src],
      [[subjects.runs, subjects.outcomes], "new", true, subjects.outcomesForWaiters1],
    );
    assert.equal(state.messages, 1);
  }));

test("streams: what the server refuses is said at once, with the stream and the reason", () =>
  inScene(async ({ link }) => {
    const nats = await link();
    const startedAt = Date.now();
    const replicas = await failureOf(nats, { replicas: 3 });
    assert.equal(replicas._tag, "StoreUnavailable");
    assert.match(replicas.message, /make or update stream NATCHET_test: replicas > 1 not supported/);
    const manager = await jetstreamManager(nats.nc);
    await manager.streams.add({ name: subjects.stream, subjects: [subjects.runs], storage: StorageType.Memory });
    assert.match((await failureOf(nats, { replicas: 1 })).message, /NATCHET_test: .*storage/);
    await manager.streams.delete(subjects.stream);
    await manager.streams.add({ name: "OTHER", subjects: ["natchet.>"] });
    assert.match((await failureOf(nats, { replicas: 1 })).message, /NATCHET_test: subjects overlap/);
    assert.ok(Date.now() - startedAt < 3_000);
  }));

// A client with settings of its own must not change what all others use.
test("streams: who carries no engine makes what is missing, changes nothing, and says what differs", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const differences: string[] = [];
    const user = { onDifference: (difference: string) => void differences.push(difference) };
    await run(ensureStreams(nats, subjects, { replicas: 1 }, user));
    const before = await configsOf(nats);
    await run(ensureStreams(nats, subjects, { replicas: 1 }, user));
    assert.deepEqual(differences, []);
    await run(ensureStreams(nats, subjects, { replicas: 3, maxBytes: 2_000_000 }, user));
    assert.deepEqual(await configsOf(nats), before);
    assert.equal(differences.length, 2);
    assert.match(
      differences[0]!,
      /NATCHET_test has 1 replica, and replicas: 3 \(NATCHET_REPLICAS\) is set here; only engines/,
    );
    assert.match(differences[1]!, /maxBytes: 2000000 \(NATCHET_MAX_BYTES\) is set here/);
  }));

test("streams: who may not make them waits for an engine that does", () =>
  inScene(
    async ({ link, run }) => {
      const [ann, admin] = [await link({ user: "ann", password: "x" }), await link({ user: "admin", password: "x" })];
      const refused = new Promise<unknown>((resolve) => ann.onDenied(resolve));
      const waiting = run(ensureStreams(ann, subjects, { replicas: 1 }, { onDifference: assert.fail }));
      await refused;
      await run(ensureStreams(admin, subjects, { replicas: 1 }));
      await waiting;
    },
    {
      config: `authorization { users: [
        { user: ann, password: x, permissions: { publish: { deny: "$JS.API.STREAM.CREATE.>" } } }
        { user: admin, password: x }
      ] }`,
    },
  ));

test("streams: an engine that may not make them is told so", () =>
  inScene(
    async ({ link }) => {
      const failure = await failureOf(await link({ user: "ann", password: "x" }), { replicas: 1 });
      assert.equal(failure._tag, "PermissionDenied");
      assert.match(
        failure.message,
        /NATS refuses \$JS\.API\.STREAM\.CREATE\.NATCHET_test: .*stream NATCHET_test; "natchet nats-config"/,
      );
    },
    {
      config: `authorization { users: [
        { user: ann, password: x, permissions: { publish: { deny: "$JS.API.STREAM.CREATE.>" } } }
      ] }`,
    },
  ));
