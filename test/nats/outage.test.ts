// The server goes away and comes back: nothing that was accepted is lost, nothing is stored or read twice, and everybody goes on.
// "The worker that silently stops consuming after an outage" is the fault that users of such systems report most.
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import type { NatsLink } from "../../src/nats/link.ts";
import { type LogReader, readLog } from "../../src/nats/log-reader.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { RecordStore } from "../../src/nats/record-store.ts";
import { RunStore } from "../../src/nats/run-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { textOf, utf8 } from "../../src/wire/bytes.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { inScene, outageOf, type Scene } from "./scene.ts";

const subjects = new Subjects("test");

interface Reading {
  readonly seqs: number[];
  readonly subjects: string[];
  caughtUp: number;
  readonly troubles: string[];
  readonly lost: string[];
  reader: LogReader;
}

async function read({ run }: Scene, link: NatsLink, fromSeq = 1): Promise<Reading> {
  const reading: Reading = { seqs: [], subjects: [], caughtUp: 0, troubles: [], lost: [], reader: undefined! };
  reading.reader = await run(
    readLog(link, subjects.stream, fromSeq, {
      onMessage: (seq, subject) => {
        reading.seqs.push(seq);
        reading.subjects.push(subject);
      },
      onCaughtUp: () => {
        reading.caughtUp += 1;
      },
      onTrouble: (reason) => void reading.troubles.push(reason),
      onLost: (reason) => void reading.lost.push(reason),
    }),
  );
  return reading;
}

/** Appends `count` entries around an outage and checks that each is stored once and read once, in the order of the log. */
async function surviveOutage(scene: Scene, count: number, outage: () => Promise<void>): Promise<void> {
  const link = await scene.link();
  await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
  const publisher = await scene.run(makePublisher(link));
  const reading = await read(scene, await scene.link());
  const append = (i: number) => publisher.append(subjects.run("a", String(i)), utf8(`payload ${i}`), 0);
  const appends = Array.from({ length: count / 2 }, (_, i) => append(i));
  await appends[50];
  await outage();
  for (let i = count / 2; i < count; i++) appends.push(append(i));
  const results = await Promise.all(appends);
  const seqs = results.map((result) => (result.ok ? result.seq : 0));
  assert.equal(seqs.includes(0), false, "an append met a conflict");
  assert.equal(new Set(seqs).size, count);
  assert.equal(await new RunStore(link, subjects).lastSeq(), count, "an append is stored twice");
  await waitFor(
    () => reading.seqs.length >= count,
    15_000,
    () => `${count} entries, read ${reading.seqs.length}; ${reading.troubles.join("; ")}`,
  );
  assert.deepEqual(
    reading.seqs,
    Array.from({ length: count }, (_, i) => i + 1),
  );
  assert.equal(new Set(reading.subjects).size, count);
  // And it goes on: what is appended from now on arrives without another restart.
  await publisher.append(subjects.run("a", "later"), utf8("later"), 0);
  await waitFor(() => reading.seqs.length === count + 1, 20_000, "the entry after the outage");
}

test(
  "outage: SIGKILL and restart after 1 s with 2,000 appends in flight",
  () =>
    inScene((scene) =>
      surviveOutage(scene, 4_000, async () => {
        await scene.server.kill();
        await outageOf(1_000);
        await scene.server.restart();
      }),
    ),
  60_000,
);

test(
  "outage: five restarts in a row",
  () =>
    inScene((scene) =>
      surviveOutage(scene, 2_000, async () => {
        for (let i = 0; i < 5; i++) {
          await scene.server.kill();
          await scene.server.restart();
        }
      }),
    ),
  60_000,
);

test(
  "outage: the server is away for 10 s",
  () =>
    inScene((scene) =>
      surviveOutage(scene, 2_000, async () => {
        await scene.server.kill();
        await outageOf(10_000);
        await scene.server.restart();
      }),
    ),
  60_000,
);

test(
  "outage: the server is silent for 5 s, long enough for second copies",
  () =>
    inScene((scene) =>
      surviveOutage(scene, 2_000, async () => {
        scene.server.pause();
        await outageOf(5_000);
        scene.server.resume();
      }),
    ),
  60_000,
);

test(
  "outage: the server is silent for 15 s, long enough to give the connection up",
  () =>
    inScene((scene) =>
      surviveOutage(scene, 2_000, async () => {
        scene.server.pause();
        await outageOf(15_000);
        scene.server.resume();
      }),
    ),
  60_000,
);

test("log reader: starts where it is told, and says once when it has caught up", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const empty = await read(scene, link);
    await waitFor(() => empty.caughtUp === 1, 20_000, "the end of an empty log");
    const publisher = await scene.run(makePublisher(link));
    await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => publisher.append(subjects.run("a", `${i}`), utf8("x"), 0)),
    );
    const late = await read(scene, link, 2_001);
    await waitFor(() => late.caughtUp === 1, 20_000, "the end of the log");
    assert.deepEqual([late.seqs.length, late.seqs[0], late.seqs.at(-1)], [1_000, 2_001, 3_000]);
    await waitFor(() => empty.seqs.length === 3_000, 20_000, "what the first reader follows");
    assert.equal(empty.caughtUp, 1);
  }));

test("log reader: a listener that throws is reported and hurts nobody else on the connection", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const troubles: string[] = [];
    const seqs: number[] = [];
    await scene.run(
      readLog(link, subjects.stream, 1, {
        onMessage: (seq) => {
          seqs.push(seq);
          if (seq === 2) throw new Error("cannot fold this");
        },
        onTrouble: (reason) => void troubles.push(reason),
      }),
    );
    for (let i = 0; i < 4; i++) await publisher.append(subjects.run("a", `${i}`), utf8("x"), 0);
    await waitFor(() => seqs.length === 4, 20_000, "all entries");
    assert.deepEqual(seqs, [1, 2, 3, 4]);
    assert.deepEqual(troubles, ["a listener failed at 2: Error: cannot fold this"]);
  }));

test(
  "log reader: a consumer that the server lost is made anew",
  () =>
    inScene(async (scene) => {
      const link = await scene.link();
      await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
      const publisher = await scene.run(makePublisher(link));
      const reading = await read(scene, link);
      await publisher.append(subjects.run("a", "1"), utf8("x"), 0);
      await waitFor(() => reading.seqs.length === 1, 20_000, "the first entry");
      const list = (await link.nc.request(`$JS.API.CONSUMER.NAMES.${subjects.stream}`)).json() as {
        consumers: string[];
      };
      for (const name of list.consumers) await link.nc.request(`$JS.API.CONSUMER.DELETE.${subjects.stream}.${name}`);
      await publisher.append(subjects.run("a", "2"), utf8("x"), 0);
      await waitFor(() => reading.seqs.length === 2, 10_000, "the entry after the loss");
      assert.match(reading.troubles.join(), /nothing heard/);
    }),
  30_000,
);

test(
  "log reader: a log that was made anew is told, and its entries are read",
  () =>
    inScene(async (scene) => {
      const link = await scene.link();
      await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
      const publisher = await scene.run(makePublisher(link));
      const reading = await read(scene, link);
      for (let i = 0; i < 3; i++) await publisher.append(subjects.run("a", `${i}`), utf8("x"), 0);
      await waitFor(() => reading.seqs.length === 3, 20_000, "the entries");
      await link.nc.request(`$JS.API.STREAM.DELETE.${subjects.stream}`);
      await scene.run(ensureStreams(link, subjects, { replicas: 1, recreate: true }));
      // As many as before: the length does not tell.
      for (let i = 0; i < 3; i++) await publisher.append(subjects.run("a", `new ${i}`), utf8("x"), 0);
      await waitFor(() => reading.seqs.length === 6, 15_000, "the new entries");
      assert.match(reading.lost.join(), /it was recreated/);
    }),
  30_000,
);

// A power cut may cost a server without fsync its newest messages, and a backup lacks them; it then gives their sequences to other entries.
test(
  "log reader: entries in the place of those that were read are noticed, however many there are by then",
  () =>
    inScene(async (scene) => {
      const { server } = scene;
      const link = await scene.link();
      await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
      const publisher = await scene.run(makePublisher(link));
      const append = (id: string) => publisher.append(subjects.run("a", id), utf8("x"), 0);
      await append("1");
      await server.kill();
      cpSync(server.store, `${server.store}-backup`, { recursive: true });
      await server.restart();
      const reading = await read(scene, link);
      for (const id of ["2", "3"]) await append(id);
      await waitFor(() => reading.seqs.length === 3, 15_000, "the entries");
      reading.reader.pause();
      await server.kill();
      rmSync(server.store, { recursive: true });
      cpSync(`${server.store}-backup`, server.store, { recursive: true });
      await server.restart();
      for (const id of ["2'", "3'", "4'"]) await append(id);
      reading.reader.resume();
      await waitFor(() => reading.seqs.at(-1) === 4, 15_000, "the newest entry");
      assert.match(reading.lost.join(), /another entry stands at 3 now/);
    }),
  30_000,
);

test(
  "record store: records are stored, read and watched, across a restart of the server",
  () =>
    inScene(async (scene) => {
      const link = await scene.link();
      await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
      const records = new RecordStore(link, subjects);
      assert.equal(await records.get("workers"), undefined);
      await records.put("workers", ["w1"], () => true);
      const watched = new Map<string, unknown>();
      await scene.run(
        new RecordStore(await scene.link(), subjects).watch((key, record) => void watched.set(key, record)),
      );
      await records.put("task.send-email", { timeoutMs: 60_000 }, () => true);
      await waitFor(() => watched.size === 2, 20_000, "both records");
      await scene.server.kill();
      const during = records.put("workers", ["w1", "w2"], () => true); // waits for the server
      await scene.server.restart();
      await during;
      await waitFor(() => (watched.get("workers") as string[]).length === 2, 10_000, "the record after the restart");
      assert.deepEqual(await records.get("workers"), ["w1", "w2"]);
      assert.deepEqual(await records.get("task.send-email"), { timeoutMs: 60_000 });
    }),
  30_000,
);

test("run store: reads, purges and tells its ends", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const store = new RunStore(link, subjects);
    assert.deepEqual([await store.lastSeq(), await store.firstSeqOf(subjects.runs)], [0, undefined]);
    const publisher = await scene.run(makePublisher(link));
    for (let i = 1; i <= 10; i++) await publisher.append(subjects.run(i % 2 ? "odd" : "even", `${i}`), utf8(`${i}`), 0);
    assert.equal(await store.purge(subjects.runsOf("odd"), 6), 3);
    assert.equal(await store.firstSeqOf(subjects.runsOf("odd")), 7);
    assert.equal(await store.firstSeqOf(subjects.runs), 2);
    assert.equal(await store.read(1), undefined);
    const second = await store.read(2);
    assert.deepEqual([second?.seq, second?.subject, textOf(second!.data)], [2, subjects.run("even", "2"), "2"]);
    assert.equal(await store.lastSeq(), 10);
    assert.ok((await store.storedBytes()) > 0);
  }));
