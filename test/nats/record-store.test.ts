// The records of the bucket, on a real server.
import assert from "node:assert/strict";
import { RecordStore } from "../../src/nats/record-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { describe, test } from "../support/harness.ts";
import { inScene } from "./scene.ts";

const withStore = (body: (store: RecordStore) => Promise<void>) => () =>
  inScene(async (nats) => {
    const link = await nats.link();
    const subjects = new Subjects("test");
    await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
    await body(new RecordStore(link, subjects));
  });

describe("record store", () => {
  test(
    "replace writes only over the record that it expects, and recognises its own",
    withStore(async (store) => {
      const first = (await store.replace("key", { by: "a" }, 0))!;
      assert.ok(first > 0);
      assert.equal(await store.replace("key", { by: "b" }, 0), undefined);
      assert.equal(await store.replace("key", { by: "a" }, 0), first);
      const second = (await store.replace("key", { by: "b" }, first))!;
      assert.ok(second > first);
      assert.equal(await store.replace("key", { by: "c" }, first), undefined);
      assert.deepEqual(await store.find("key"), { record: { by: "b" }, seq: second });
    }),
  );
});
