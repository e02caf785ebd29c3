// What a leader keeps for the next one: writes and reads that hang over the end of a term change nothing of it.
import assert from "node:assert/strict";
import { StoreUnavailable } from "../../src/domain/errors.ts";
import { silentLog } from "../../src/domain/log.ts";
import { Bucket } from "../../src/leader/bucket.ts";
import { openTerm, type Term } from "../../src/leader/term.ts";
import { RecordStore } from "../../src/nats/record-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { deferred } from "../../src/runtime/deferred.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene, type Scene } from "../nats/scene.ts";
import { describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

/** Its writes hang while the gate is shut, and the answers to its reads while the other one is. */
class HangingStore extends RecordStore {
  gate = Promise.resolve();
  answers = Promise.resolve();
  /** The next read of pauses fails. */
  isFailing = false;
  /** The first of task definitions. */
  read: Promise<unknown> | undefined;

  override async find(key: string) {
    if (key !== "pauses" || !this.isFailing) return super.find(key);
    this.isFailing = false;
    throw new StoreUnavailable({ operation: "read", reason: "for a test" });
  }
  override async replace(...args: Parameters<RecordStore["replace"]>) {
    await this.gate;
    return super.replace(...args);
  }
  override readAll(prefix: string) {
    const { answers } = this;
    const found = super.readAll(prefix).then((records) => (prefix === "task." ? answers.then(() => records) : records));
    if (prefix === "task.") this.read ??= found;
    return found;
  }
}

const declared = (timeoutMs: number) => ({
  ...{ name: "a", timeoutMs, scheduleTimeoutMs: null, priority: 1, retries: 0, inputSchema: null, outputSchema: null },
});

class Engine {
  readonly store: HangingStore;
  readonly bucket: Bucket;
  term: Term;
  holdsLease = true;

  constructor(store: HangingStore, term: Term) {
    this.store = store;
    this.term = term;
    this.bucket = new Bucket(
      store,
      silentLog,
      () => this.term,
      () => this.holdsLease,
    );
  }
  shut(): () => void {
    const { promise, resolve } = deferred<void>();
    this.store.gate = promise;
    return resolve;
  }
  async has(key: string, record: unknown): Promise<void> {
    const isThere = async () => JSON.stringify(await this.store.get(key)) === JSON.stringify(record);
    await waitFor(isThere, 30_000, `${key} to be ${JSON.stringify(record)}`);
  }
}

const withEngines = (body: (nats: Scene, engine: () => Promise<Engine>) => Promise<void>) => () =>
  inScene(async (nats) => {
    const link = await nats.link();
    const subjects = new Subjects("test");
    await nats.run(ensureStreams(link, subjects, { replicas: 1 }));
    let epoch = 0;
    await body(
      nats,
      async () => new Engine(new HangingStore(link, subjects), await nats.run(openTerm(++epoch, silentLog))),
    );
  });

describe("kept records", () => {
  test(
    "what was waiting when a term ended is not stored in the next one",
    withEngines(async (nats, engine) => {
      const one = await engine();
      await one.bucket.read();
      const open = one.shut();
      for (let i = 0; i < 20; i++) one.bucket.kept.keep(`task.t${i}`, { i });
      one.term.end();
      one.term = await nats.run(openTerm(9, silentLog));
      await one.bucket.read();
      one.bucket.kept.keep("task.last", {});
      open();
      await one.has("task.last", {});
      assert.equal(await one.store.get("task.t19"), undefined);
    }),
  );

  test(
    "a write that hung while another engine led is refused; one that lands early is overwritten",
    withEngines(async (_, engine) => {
      const [older, newer] = [await engine(), await engine()];
      await older.bucket.read();
      const open = older.shut();
      older.bucket.kept.keep("workers", ["old"]);
      await newer.bucket.read();
      newer.bucket.keepWorkers([{ id: "new" }]);
      await newer.has("workers", ["new"]);
      older.holdsLease = false;
      open();
      older.bucket.kept.keep("task.after", {}); // is not stored either: nobody may be told so
      await older.store.find("workers"); // on the same connection, behind the write
      await older.store.find("workers");
      await newer.has("workers", ["new"]);
      await newer.store.replace("workers", ["late"], (await newer.store.find("workers"))!.seq); // an engine of the same epoch's connection
      newer.bucket.keepWorkers([{ id: "newer" }]);
      await newer.has("workers", ["newer"]);
    }),
  );

  test(
    "a read that failed and still goes on beside the next one says nothing of what is stored by then",
    withEngines(async (_, engine) => {
      const one = await engine();
      await one.store.replace("task.a", declared(1), 0);
      const late = deferred<void>();
      one.store.answers = late.promise;
      one.store.isFailing = true;
      await assert.rejects(one.bucket.read());
      one.store.answers = Promise.resolve();
      await one.bucket.read();
      one.bucket.kept.keep("task.a", declared(2));
      await one.has("task.a", declared(2));
      late.resolve();
      await one.store.read;
      await one.store.get("task.a"); // what comes of the read is through by then
      one.bucket.kept.keep("task.a", declared(1));
      await one.has("task.a", declared(1));
    }),
  );
});
