// What leaders note before they send it, in a real bucket.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { openTerm } from "../../src/leader/term.ts";
import { TriedStore } from "../../src/leader/tried-store.ts";
import { Definitions } from "../../src/nats/definitions.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { describe, test } from "../support/harness.ts";

const tried = (key: string) => ({ tried: [{ key, turn: 1, worker: "w" }], cautious: { upTo: 9, left: 1 } });

describe("tried store", () => {
  test("the newest of what is noted while a write is under way is stored; an older epoch stores nothing over a newer one", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const definitions = new Definitions(link, subjects);
      const [seventh, eighth] = [await nats.run(openTerm(7, silentLog)), await nats.run(openTerm(8, silentLog))];
      const [older, newer] = [new TriedStore(definitions, silentLog), new TriedStore(definitions, silentLog)];
      assert.deepEqual((await older.load()).tried, []);
      for (let i = 0; i < 50; i++) void older.store(tried(`t/${i}`), seventh);
      assert.equal(await older.stored(), true);
      assert.deepEqual(await newer.load(), tried("t/49"));
      assert.equal(await newer.store(tried("t/new"), eighth), true);
      assert.equal(await older.store(tried("t/late"), seventh), false);
      assert.equal(await older.stored(), false);
      assert.deepEqual(await new TriedStore(definitions, silentLog).load(), tried("t/new"));
      seventh.end();
      assert.equal(await older.store(tried("t/over"), seventh), false);
    }));
});
