// What one attempt says, on its way to a store that the test plays: slow, refusing, or silent.
import assert from "node:assert/strict";
import { StoreUnavailable } from "../../../src/domain/errors.ts";
import { silentLog } from "../../../src/domain/log.ts";
import { makeLog } from "../../../src/facade/log.ts";
import type { TranscriptStore } from "../../../src/nats/transcripts.ts";
import { noBytes } from "../../../src/wire/bytes.ts";
import { decodeTranscript, type TranscriptEntry } from "../../../src/wire/transcript-entry.ts";
import { consoleOf } from "../../../src/worker/transcripts/line.ts";
import { Transcript } from "../../../src/worker/transcripts/transcript.ts";
import { test } from "../../support/harness.ts";
import { waitFor } from "../../support/wait-for.ts";

class PlayedStore implements TranscriptStore {
  readonly maxPayload = 1_048_576;
  readonly entries: TranscriptEntry[] = [];
  /** Appends under way at once, at most. */
  most = 0;
  isUp = true;
  answer: () => Promise<void> = async () => {};
  #underWay = 0;

  async append(_key: string, bytes: Uint8Array): Promise<void> {
    this.#underWay += 1;
    this.most = Math.max(this.most, this.#underWay);
    await this.answer();
    this.#underWay -= 1;
    this.entries.push(decodeTranscript(bytes));
  }

  async newest(): Promise<undefined> {}

  isConnected(): boolean {
    return this.isUp;
  }

  get kinds(): string[] {
    return this.entries.flatMap(({ records }) => records.map(({ kind }) => kind));
  }
}

const assignment = {
  ...{
    key: "t/1",
    priority: 1,
    turn: 1,
    attempt: 1,
    origin: 7,
    createdAt: 1,
    waiter: "",
    follows: false,
    extra: noBytes,
    input: noBytes,
  },
};

function talk(store: PlayedStore, patienceMs?: number) {
  const troubles: string[] = [];
  const onTrouble = (reason: string) => troubles.push(reason);
  const parts = { assignment, store, now: Date.now, onTrouble, console: silentLog, isOver: false };
  return { troubles, voice: new Transcript({ ...parts, ...(patienceMs !== undefined && { patienceMs }) }) };
}

test("transcript: what is said in one tick travels together; the end carries the rest at once", async () => {
  const store = new PlayedStore();
  const { voice } = talk(store);
  voice.info("one");
  voice.warn("two", { n: 2 });
  await voice.stream("three");
  await waitFor(() => store.entries.length === 1, 20_000, "the first entry");
  voice.progress(0.1, undefined);
  voice.progress(0.2, "newest");
  await voice.end("completed");
  assert.deepEqual(store.kinds, ["line", "line", "chunk", "progress", "end"]);
  const [first, last] = store.entries;
  assert.deepEqual([first!.first, first!.lines, first!.origin, first!.progress], [0, 2, 7, undefined]);
  assert.deepEqual([last!.first, last!.lines, last!.writer], [3, 2, first!.writer]);
  assert.deepEqual([last!.progress?.fraction, last!.progress?.note], [0.2, "newest"]);
});

test("transcript: an attempt that only looked at its log stores nothing, not even its end, and its outcome waits for nothing", () => {
  const store = new PlayedStore();
  const { voice } = talk(store);
  assert.equal(voice.end("completed"), undefined);
  assert.deepEqual(store.entries, []);
});

test("transcript: a flood of progress is stored now and then, the newest at the end", async () => {
  const store = new PlayedStore();
  const { voice } = talk(store);
  const until = Date.now() + 350;
  for (let n = 0; Date.now() < until; n++) {
    voice.progress((n % 100) / 100, undefined);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  voice.progress(1, "done");
  await voice.end("completed");
  assert.ok(store.entries.length <= 6, `${store.entries.length} entries`);
  assert.equal(store.entries.at(-1)?.progress?.fraction, 1);
});

test("transcript: one entry is under way at a time, and who awaits is held back while the store is slow", async () => {
  const store = new PlayedStore();
  let release = () => {};
  store.answer = () => new Promise((resolve) => (release = resolve));
  const { voice } = talk(store);
  let said = 0;
  const talking = (async () => {
    for (; said < 100; said++) await voice.stream(new Uint8Array(50_000));
  })();
  await waitFor(() => store.most === 1, 20_000, "the first append");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(said < 20, `${said} chunks without room`);
  store.answer = async () => {};
  release();
  await talking;
  await voice.end("completed");
  assert.equal(store.kinds.filter((kind) => kind === "chunk").length, 100);
  assert.equal(store.most, 1);
  const numbers = store.entries.map(({ first, records }) => [first, first + records.length]);
  for (const [at, [first]] of numbers.entries()) assert.equal(first, at === 0 ? 0 : numbers[at - 1]![1]);
});

test("transcript: a store that refuses fails who streams, not who logs; the end does not wait, trouble is told once", async () => {
  const store = new PlayedStore();
  store.answer = () => Promise.reject(new StoreUnavailable({ operation: "append", reason: "no room" }));
  const { voice, troubles } = talk(store);
  voice.info("not stored");
  const waiting = voice.stream(new Uint8Array(500_000));
  await assert.rejects(waiting, /the store cannot append: no room/);
  voice.info("neither");
  await assert.rejects(voice.stream("no"), /no room/);
  await voice.end("completed");
  await assert.rejects(voice.stream("late"), /no room|the attempt has ended/);
  assert.deepEqual(troubles, ["the store cannot append: no room"]);
});

test("transcript: the end waits through an outage, but not for ever on a good connection", async () => {
  const store = new PlayedStore();
  let release = () => {};
  store.answer = () => new Promise((resolve) => (release = resolve));
  store.isUp = false;
  const { voice, troubles } = talk(store, 20);
  voice.info("last words");
  let hasEnded = false;
  const ended = voice.end("failed")!.then(() => {
    hasEnded = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(hasEnded, false);
  store.isUp = true;
  await ended;
  assert.deepEqual(troubles, ["the log stream does not answer"]);
  release();
  await waitFor(() => store.kinds.length === 2, 20_000, "the words to be stored all the same");
});

test("transcript: what is said after the end goes to the console only", async () => {
  const store = new PlayedStore();
  const { voice } = talk(store);
  await voice.stream("in time");
  await voice.end("completed");
  voice.error("late");
  voice.progress(1, undefined);
  await assert.rejects(voice.stream("late"), /take a chunk of run t\/1: the attempt has ended/);
  await voice.end("failed");
  assert.deepEqual(store.kinds, ["chunk", "end"]);
});

test("transcript: a line with a message or fields that cannot be shown fails nothing", async () => {
  const store = new PlayedStore();
  const shown: string[] = [];
  const console = consoleOf(makeLog({ level: "debug", write: (line) => shown.push(line) }), "mail", "t/1");
  const voice = new Transcript({ assignment, store, now: Date.now, onTrouble: assert.fail, console, isOver: false });
  const circle = Object.create(null);
  circle.self = circle;
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const throwing = {
    get field() {
      throw circle;
    },
  };
  const fields = [circle, proxy, throwing, { circle, proxy, n: 1n, s: Symbol("s"), f: () => 1, e: new Error("x") }];
  for (const value of [circle, proxy, Symbol("s"), 1n]) voice.info(value as never);
  for (const value of fields) voice.info("fields", value);
  voice.progress(0.5, circle);
  await voice.end("completed");
  assert.equal(store.kinds.filter((kind) => kind === "line").length, 8);
  assert.equal(shown.length, 9);
});
