// What leaders keep for the next one, in a real bucket.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { Bucket } from "../../src/leader/bucket.ts";
import { openTerm, Term } from "../../src/leader/term.ts";
import { TriedStore } from "../../src/leader/tried-store.ts";
import { RecordStore } from "../../src/nats/record-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { describe, test } from "../support/harness.ts";

const bucketOf = (store: RecordStore, epoch: number) =>
  new Bucket(
    store,
    silentLog,
    () => new Term(epoch, silentLog),
    () => true,
  );
const tried = (key: string) => ({ tried: [{ key, turn: 1, worker: "w" }], cautious: { upTo: 9, left: 1 } });

describe("tried store", () => {
  test("the newest of what is noted while a write is under way is stored; an older epoch stores nothing over a newer one", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const store = new RecordStore(link, subjects);
      const [seventh, eighth] = [await nats.run(openTerm(7, silentLog)), await nats.run(openTerm(8, silentLog))];
      const older = new TriedStore(store, silentLog, () => seventh);
      const newer = new TriedStore(store, silentLog, () => eighth);
      assert.deepEqual((await older.load()).tried, []);
      for (let i = 0; i < 50; i++) void older.store(tried(`t/${i}`));
      assert.equal(await older.stored(), true);
      assert.deepEqual(await newer.load(), tried("t/49"));
      assert.equal(await newer.store(tried("t/new")), true);
      assert.equal(await older.store(tried("t/late")), false);
      assert.equal(await older.stored(), false);
      assert.deepEqual(await new TriedStore(store, silentLog, () => eighth).load(), tried("t/new"));
      seventh.end();
      assert.equal(await older.store(tried("t/over")), false);
    }));
});

describe("rate limits", () => {
  const rate = (at: number, units: number) => ({ id: "api/ü", perMs: 60_000, uses: [{ at, units: 1 }], units });

  test("an engine of an older epoch stores nothing over a newer one's record, which counts what the older had stored too late", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const store = new RecordStore(link, subjects);
      const [older, newer] = [bucketOf(store, 7), bucketOf(store, 8)];
      await older.read();
      await newer.read();
      assert.equal((await older.storeRates([rate(1, 1)])).length, 1);
      const [taken] = await newer.storeRates([rate(2, 1)]);
      assert.deepEqual(taken!.found?.uses, [{ at: 1, units: 1 }]);
      assert.deepEqual(await older.storeRates([rate(3, 1)]), []);
      const [again] = await newer.storeRates([rate(4, 1)]);
      assert.equal(again!.found, undefined);
      const next = bucketOf(store, 9);
      const { rates } = (await next.read()).briefing;
      assert.deepEqual(
        rates.map(({ id, uses }) => [id, uses.map(({ at }) => at)]),
        [["api/ü", [4]]],
      );
      await next.storeRates([rate(5, 1)]);
      assert.equal((await next.storeRates([rate(6, 1)]))[0]!.found, undefined);
      await next.dropRates(["api/ü"]);
      assert.deepEqual((await bucketOf(store, 9).read()).briefing.rates, []);
    }));

  test("what is stored while records are dropped, by this engine or a newer one, stays", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const store = new RecordStore(link, subjects);
      const [older, newer] = [bucketOf(store, 7), bucketOf(store, 8)];
      await older.storeRates(["a", "b"].map((id) => ({ ...rate(1, 1), id })));
      await newer.read();
      await newer.storeRates([{ ...rate(2, 1), id: "a" }]);
      const dropped = older.dropRates(["a", "b"]);
      await Promise.all([dropped, older.storeRates([{ ...rate(3, 1), id: "b" }])]);
      const { rates } = (await bucketOf(store, 9).read()).briefing;
      assert.deepEqual(rates.map(({ id, uses }) => [id, uses.at(-1)!.at]).sort(), [
        ["a", 2],
        ["b", 3],
      ]);
    }));

  test("a record that nobody can read makes room for the next one", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const bucket = bucketOf(new RecordStore(link, subjects), 7);
      await bucket.store.replace("rate.YXBp", { is: "not a rate" }, 0);
      await bucket.read();
      const [stored] = await bucket.storeRates([{ ...rate(1, 1), id: "api" }]);
      assert.equal(stored!.found, undefined);
    }));
});
