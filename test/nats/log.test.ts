// The publisher and the reader of the log against a real server that dies and returns.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { readLog } from "../../src/nats/log-reader.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { RunStore } from "../../src/nats/run-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { utf8 } from "../../src/protocol/bytes.ts";
import { Subjects } from "../../src/protocol/subjects.ts";
import { test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";

const subjects = new Subjects("log");

async function inScope(
  body: (
    server: NatsServer,
    link: NatsLink,
    run: <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) => Promise<A>,
  ) => Promise<void>,
) {
  const server = await startNatsServer();
  const scope = await Effect.runPromise(Scope.make());
  const run = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
    Effect.runPromise(Scope.provide(effect, scope) as Effect.Effect<A>);
  try {
    const link = await run(connectNats({ url: server.url, namespace: "log" }));
    await run(ensureStreams(link, subjects, { replicas: 1 }));
    await body(server, link, run);
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void));
    await server.stop();
  }
}

test("publisher: an entry is created once, a second create is a conflict", () =>
  inScope(async (_server, link, run) => {
    const publisher = await run(makePublisher(link));
    assert.deepEqual(await publisher.append(subjects.run("a", "1"), utf8("x"), 0), { ok: true, seq: 1 });
    assert.deepEqual(await publisher.append(subjects.run("a", "1"), utf8("y"), 0), {
      ok: false,
      conflict: true,
      lastSeq: 1,
    });
    assert.deepEqual(await publisher.append(subjects.run("a", "1"), utf8("z"), 1), { ok: true, seq: 2 });
    await assert.rejects(publisher.append(subjects.run("a", "2"), new Uint8Array(link.maxPayload), 0), /max_payload/);
  }));

test(
  "publisher and reader: 3,000 appends across a SIGKILL of the server are each stored and read exactly once",
  () =>
    inScope(async (server, link, run) => {
      const publisher = await run(makePublisher(link));
      const read: string[] = [];
      let caughtUp = 0;
      await run(
        readLog(link, subjects.stream, 1, {
          onMessage: (_seq, subject) => void read.push(subject),
          onCaughtUp: () => {
            caughtUp += 1;
          },
          onTrouble: () => {},
        }),
      );
      const appends = Array.from({ length: 1_500 }, (_, i) =>
        publisher.append(subjects.run("a", `${i}`), utf8(`payload ${i}`), 0),
      );
      await appends[100];
      await server.kill();
      for (let i = 1_500; i < 3_000; i++)
        appends.push(publisher.append(subjects.run("a", `${i}`), utf8(`payload ${i}`), 0));
      await server.restart();
      const results = await Promise.all(appends);
      assert.ok(results.every((result) => result.ok));
      assert.equal(new Set(results.map((result) => result.ok && result.seq)).size, 3_000);
      await waitFor(
        () => read.length >= 3_000,
        10_000,
        () => `3,000 entries, read ${read.length}`,
      );
      assert.equal(new Set(read).size, 3_000);
      assert.equal(read.length, 3_000);
      assert.ok(caughtUp >= 1);
      const store = new RunStore(link, subjects);
      assert.equal(await store.purge(subjects.runsOf("a"), 2_001), 2_000);
      assert.equal(await store.firstSeqOf(subjects.runs), 2_001);
      assert.equal((await store.read(2_500))?.seq, 2_500);
      assert.equal(await store.read(10), undefined);
    }),
  60_000,
);
