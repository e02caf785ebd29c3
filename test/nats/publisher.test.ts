// What becomes of an append when the server does not simply take it.
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher, type Witness } from "../../src/nats/publisher.ts";
import { RunStore } from "../../src/nats/run-store.ts";
import { ensureStreams, reserveBytes } from "../../src/nats/streams.ts";
import { utf8 } from "../../src/wire/bytes.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { inScene, type Scene } from "./scene.ts";

const subjects = new Subjects("test");
const subject = (id: string | number) => subjects.run("a", String(id));

test("publisher: an entry is created once, a second create is a conflict that names the first", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    const publisher = await run(makePublisher(nats));
    assert.deepEqual(await publisher.append(subject(1), utf8("x"), 0), { ok: true, seq: 1 });
    assert.deepEqual(await publisher.append(subject(1), utf8("x"), 0), { ok: false, conflict: true, lastSeq: 1 });
    assert.deepEqual(await publisher.append(subject(1), utf8("z"), 1), { ok: true, seq: 2 });
    assert.deepEqual(await publisher.append(subject(1), utf8("free")), { ok: true, seq: 3 });
    assert.equal(publisher.pending, 0);
  }));

test("publisher: never more than the window is unacknowledged, and the rest goes in order", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    const publisher = await run(makePublisher(nats, { window: 8 }));
    let sent = 0;
    const publish = nats.nc.publish.bind(nats.nc);
    nats.nc.publish = (...given) => {
      sent += 1;
      publish(...given);
    };
    const appends = Array.from({ length: 10_000 }, (_, i) => publisher.append(subject(i), utf8("x"), 0));
    assert.deepEqual([sent, publisher.pending], [8, 10_000]);
    await publisher.drained();
    assert.equal(publisher.pending, 0);
    const results = await Promise.all(appends);
    assert.deepEqual(
      results.map((result) => result.ok && result.seq),
      Array.from(results.keys(), (i) => i + 1),
    );
  }));

test(
  "publisher: a full stream refuses, and takes appends again when there is room",
  () =>
    inScene(async ({ link, run }) => {
      const nats = await link();
      await run(ensureStreams(nats, subjects, { replicas: 1, maxBytes: 1_000_000 }));
      const limit = 1_000_000 + reserveBytes(1_000_000);
      const publisher = await run(makePublisher(nats));
      const payload = new Uint8Array(900_000);
      const results = await Promise.allSettled(
        Array.from({ length: Math.ceil(limit / payload.length) + 2 }, (_, i) =>
          publisher.append(subject(i), payload, 0),
        ),
      );
      const refused = results.filter((result) => result.status === "rejected").map((result) => result.reason);
      assert.ok(refused.length >= 2);
      assert.equal(refused[0]._tag, "QueueFull");
      assert.match(
        refused[0].message,
        /namespace "test" accepts no new runs: .*maximum bytes exceeded; raise maxBytes/,
      );
      await new RunStore(nats, subjects).purge(subjects.runs, 20);
      assert.equal((await publisher.append(subject("again"), payload, 0)).ok, true);
    }),
  30_000,
);

/** Sees what the test says, of what it was asked to watch. */
class FakeWitness implements Witness {
  isHere = true;
  readonly watched = new Map<string, (seq: number) => void>();
  isListening = () => this.isHere;
  watch(subject: string, seen: (seq: number) => void): () => void {
    this.watched.set(subject, seen);
    return () => this.watched.delete(subject);
  }
}

/** How many copies of a subject ask for an acknowledgement, and how many do not. */
async function copiesOf(nats: NatsLink, heard: string): Promise<{ asking: number; silent: number }> {
  const copies = { asking: 0, silent: 0 };
  nats.nc.subscribe(heard, {
    callback: (_error, { reply }) => void copies[reply === undefined || reply === "" ? "silent" : "asking"]++,
  });
  await nats.nc.flush();
  return copies;
}

async function witnessed({ link, run }: Scene) {
  const nats = await link();
  await run(ensureStreams(nats, subjects, { replicas: 1 }));
  return {
    publisher: await run(makePublisher(nats)),
    witness: new FakeWitness(),
    store: new RunStore(nats, subjects),
    copies: await copiesOf(await link(), subject(1)),
  };
}

test("publisher: what a witness sees needs no acknowledgement", () =>
  inScene(async (scene) => {
    const { publisher, witness, store, copies } = await witnessed(scene);
    const append = publisher.append(subject(1), utf8("x"), 0, { witness });
    await waitFor(async () => (await store.lastSeq()) === 1, 20_000, "the entry to be stored");
    assert.equal(publisher.pending, 1);
    witness.watched.get(subject(1))!(1);
    assert.deepEqual(await append, { ok: true, seq: 1 });
    assert.equal(publisher.pending, 0);
    await waitFor(() => copies.silent === 1, 20_000, "the copy to be heard");
    assert.equal(copies.asking, 0);
  }));

test("publisher: what a witness does not see is acknowledged, and stored once", () =>
  inScene(async (scene) => {
    const { publisher, witness, store, copies } = await witnessed(scene);
    assert.deepEqual(await publisher.append(subject(1), utf8("x"), 0, { witness }), { ok: true, seq: 1 });
    await waitFor(() => copies.asking === 1 && copies.silent === 1, 20_000, "both copies to be heard");
    assert.equal(witness.watched.size, 0);
    assert.equal(await store.lastSeq(), 1);
    witness.isHere = false;
    assert.deepEqual(await publisher.append(subject(2), utf8("x"), 0, { witness }), { ok: true, seq: 2 });
    witness.isHere = true;
    const last = publisher.append(subject(3), utf8("x"), 0, { witness });
    publisher.close();
    await assert.rejects(last, /the publisher was closed/);
    assert.equal(witness.watched.size, 0);
  }));

test("publisher: what is too large for the server is refused before it is sent", () =>
  inScene(
    async ({ link, run }) => {
      const nats = await link();
      await run(ensureStreams(nats, subjects, { replicas: 1 }));
      const publisher = await run(makePublisher(nats));
      assert.equal(nats.maxPayload, 65_536);
      await assert.rejects(publisher.append(subject(1), new Uint8Array(65_500), 0), { _tag: "PayloadTooLarge" });
      assert.equal((await publisher.append(subject(1), new Uint8Array(65_536 - 80), 0)).ok, true);
      assert.ok(nats.isConnected());
    },
    { config: "max_payload: 65536" },
  ));

test("publisher: an append without a stream waits until there is one, and is stored once", () =>
  inScene(async ({ link, run }) => {
    const nats = await link();
    const troubles: string[] = [];
    const publisher = await run(makePublisher(nats, { onTrouble: (reason) => void troubles.push(reason) }));
    const appends = Array.from({ length: 500 }, (_, i) => publisher.append(subject(i), utf8(`x${i}`), 0));
    await waitFor(() => troubles.length > 0, 20_000, "a report of no responders");
    assert.equal(publisher.pending, 500);
    let isDrained = false;
    void publisher.drained().then(() => (isDrained = true));
    assert.match(troubles[0]!, /natchet\.test\.run\.a\.\d+ is sent again/);
    assert.equal(isDrained, false);
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    const results = await Promise.all(appends);
    assert.ok(results.every((result) => result.ok));
    assert.equal(await new RunStore(nats, subjects).lastSeq(), 500);
    await waitFor(() => isDrained, 20_000, "drained");
  }));

test(
  "publisher: a retried append that meets its own first copy is stored, one that meets another's is a conflict",
  () =>
    inScene(async ({ link, run }) => {
      const nats = await link();
      await run(ensureStreams(nats, subjects, { replicas: 1 }));
      const publisher = await run(makePublisher(nats));
      const other = await run(makePublisher(await link()));
      // The first copies get lost, or arrive while their acknowledgement is lost: then somebody has stored the same or something else.
      const publish = nats.nc.publish;
      nats.nc.publish = () => {};
      const same = publisher.append(subject("same"), utf8("same bytes"), 0);
      const different = publisher.append(subject("different"), utf8("mine"), 0);
      const lost = publisher.append(subject("lost"), utf8("mine"), 0);
      nats.nc.publish = publish;
      const stored = await other.append(subject("same"), utf8("same bytes"), 0);
      assert.ok(stored.ok);
      await other.append(subject("different"), utf8("theirs"), 0);
      assert.deepEqual(await same, stored);
      assert.deepEqual(await different, { ok: false, conflict: true, lastSeq: 2 });
      assert.deepEqual(await lost, { ok: true, seq: 3 });
    }),
  30_000,
);

test("publisher: a user who may not publish a subject is told so, and may go on with others", () =>
  inScene(
    async ({ link, run }) => {
      await run(ensureStreams(await link({ user: "all", password: "x" }), subjects, { replicas: 1 }));
      const mute = await run(makePublisher(await link({ user: "mute", password: "x" })));
      await assert.rejects(mute.append(subject(1), utf8("x"), 0), {
        _tag: "PermissionDenied",
        message: /NATS refuses natchet\.test\.run\.a\.1: this user may not publish to it/,
      });
      assert.equal((await mute.append(subjects.outcome("worker", "w1", 1), utf8("x"), 0)).ok, true);
      assert.equal(mute.pending, 0);
    },
    {
      config: `authorization { users: [
        { user: all, password: x }
        { user: mute, password: x, permissions: { publish: { deny: "natchet.test.run.>" } } }
      ] }`,
    },
  ));

test("publisher: what is pending fails when it is closed, and so does what comes later", () =>
  inScene(async ({ server, link, run }) => {
    const nats = await link();
    await run(ensureStreams(nats, subjects, { replicas: 1 }));
    const publisher = await run(makePublisher(nats, { window: 1 }));
    server.pause();
    const appends = [1, 2, 3].map((id) => publisher.append(subject(id), utf8("x"), 0));
    publisher.close();
    server.resume();
    for (const append of appends) await assert.rejects(append, { _tag: "StoreUnavailable", message: /closed/ });
    await assert.rejects(publisher.append(subject(4), utf8("x"), 0), { _tag: "StoreUnavailable" });
    await publisher.drained();
  }));

test("publisher: an account without room refuses like a full stream", () =>
  inScene(
    async ({ link, run }) => {
      const nats = await link({ user: "ann", password: "x" });
      const manager = await jetstreamManager(nats.nc);
      await run(ensureStreams(nats, subjects, { replicas: 1 }));
      assert.equal((await manager.getAccountInfo()).limits.max_storage, 2_000_000);
      const publisher = await run(makePublisher(nats));
      const results = await Promise.allSettled(
        [1, 2, 3, 4].map((id) => publisher.append(subject(id), new Uint8Array(900_000), 0)),
      );
      const refused = results.filter((result) => result.status === "rejected").map((result) => result.reason._tag);
      assert.deepEqual(refused, ["QueueFull", "QueueFull"]);
    },
    { config: "accounts { A { jetstream: { max_file: 2000000 }, users: [ { user: ann, password: x } ] } }" },
  ));
