// The records of the bucket, on a real server.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { RateStore } from "../../src/leader/rate-store.ts";
import { Definitions } from "../../src/nats/definitions.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { describe, test } from "../support/harness.ts";
import { inScene } from "./scene.ts";

const withDefinitions = (body: (definitions: Definitions) => Promise<void>) => () =>
  inScene(async (nats) => {
    const link = await nats.link();
    const subjects = new Subjects("test");
    await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
    await body(new Definitions(link, subjects));
  });

describe("definitions", () => {
  test(
    "replace writes only over the record that it expects, and recognises its own",
    withDefinitions(async (definitions) => {
      const first = (await definitions.replace("key", { by: "a" }, 0))!;
      assert.ok(first > 0);
      assert.equal(await definitions.replace("key", { by: "b" }, 0), undefined);
      assert.equal(await definitions.replace("key", { by: "a" }, 0), first);
      const second = (await definitions.replace("key", { by: "b" }, first))!;
      assert.ok(second > first);
      assert.equal(await definitions.replace("key", { by: "c" }, first), undefined);
      assert.deepEqual(await definitions.find("key"), { record: { by: "b" }, seq: second });
    }),
  );
});

describe("rate store", () => {
  const rate = (at: number, units: number) => ({ id: "api", perMs: 60_000, uses: [{ at, units: 1 }], units });

  test(
    "an engine of an older epoch stores nothing over a newer one's record, which counts what the older had stored too late",
    withDefinitions(async (definitions) => {
      const [older, newer] = [new RateStore(definitions, silentLog), new RateStore(definitions, silentLog)];
      await older.load();
      await newer.load();
      assert.equal((await older.store([rate(1, 1)], 7)).length, 1);
      const [taken] = await newer.store([rate(2, 1)], 8);
      assert.deepEqual(taken!.found?.uses, [{ at: 1, units: 1 }]);
      assert.deepEqual(await older.store([rate(3, 1)], 7), []);
      const [again] = await newer.store([rate(4, 1)], 8);
      assert.equal(again!.found, undefined);
    }),
  );
});
