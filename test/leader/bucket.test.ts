// What leaders keep for the next one, in a real bucket.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { Bucket } from "../../src/leader/bucket.ts";
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

describe("rate limits", () => {
  const rate = (at: number, units: number) => ({ id: "api/ü", perMs: 60_000, uses: [{ at, units: 1 }], units });

  test("an engine of an older epoch stores nothing over a newer one's record, which counts what the older had stored too late", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const definitions = new Definitions(link, subjects);
      const [older, newer] = [new Bucket(definitions, silentLog), new Bucket(definitions, silentLog)];
      await older.read();
      await newer.read();
      assert.equal((await older.storeRates([rate(1, 1)], 7)).length, 1);
      const [taken] = await newer.storeRates([rate(2, 1)], 8);
      assert.deepEqual(taken!.found?.uses, [{ at: 1, units: 1 }]);
      assert.deepEqual(await older.storeRates([rate(3, 1)], 7), []);
      const [again] = await newer.storeRates([rate(4, 1)], 8);
      assert.equal(again!.found, undefined);
      const next = new Bucket(definitions, silentLog);
      const { rates } = (await next.read()).briefing;
      assert.deepEqual(
        rates.map(({ id, uses }) => [id, uses.map(({ at }) => at)]),
        [["api/ü", [4]]],
      );
      await next.storeRates([rate(5, 1)], 9);
      assert.equal((await next.storeRates([rate(6, 1)], 9))[0]!.found, undefined);
      await next.dropRates(["api/ü"]);
      assert.deepEqual((await new Bucket(definitions, silentLog).read()).briefing.rates, []);
    }));

  test("a record that nobody can read makes room for the next one", () =>
    inScene(async (nats) => {
      const link = await nats.link();
      const subjects = new Subjects("test");
      await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
      const bucket = new Bucket(new Definitions(link, subjects), silentLog);
      await bucket.definitions.put("rate.YXBp", { is: "not a rate" });
      await bucket.read();
      const [stored] = await bucket.storeRates([{ ...rate(1, 1), id: "api" }], 7);
      assert.equal(stored!.found, undefined);
    }));
});
