import assert from "node:assert/strict";
import { JournalStore } from "../../src/nats/journal.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { inScene, type Scene } from "./scene.ts";

const subjects = new Subjects("test");
const name = { key: "fulfil/order 42", origin: 17 };
const bytes = (text: string) => new TextEncoder().encode(text);
const textsOf = (records: readonly { readonly data: Uint8Array }[]) =>
  records.map(({ data }) => new TextDecoder().decode(data));

const bound = (of: any, name: string | symbol) => (typeof of[name] === "function" ? of[name].bind(of) : of[name]);

async function journalIn({ link, run }: Scene, options: { journalMaxBytes?: number } = {}): Promise<JournalStore> {
  const mine = await link();
  await run(ensureStreams(mine, subjects, { replicas: 1, ...options }));
  const publisher = await run(makePublisher(mine, { stream: subjects.journalStream }));
  return new JournalStore(mine, subjects, { publisher });
}

test("JournalStore appends behind the message that is expected, and behind no other", () =>
  inScene(async (scene) => {
    const journal = await journalIn(scene);
    assert.deepEqual(await journal.read(name), []);
    assert.equal(await journal.last(name), undefined);
    const first = await journal.append(name, bytes("a"), 0, false);
    const second = await journal.append(name, bytes("b"), first!, false);
    assert.equal(await journal.append(name, bytes("x"), 0, false), undefined);
    assert.equal(await journal.append(name, bytes("x"), first!, false), undefined);
    await journal.append({ ...name, origin: 18 }, bytes("of a later run of this id"), 0, false);
    assert.deepEqual(textsOf(await journal.read(name)), ["a", "b"]);
    assert.equal((await journal.last(name))!.seq, second);
    const third = await journal.append(name, bytes("lap"), second!, true);
    assert.equal(await journal.append(name, bytes("x"), second!, true), undefined);
    const [lap, ...others] = await journal.read(name);
    assert.deepEqual([lap!.seq, textsOf([lap!]), others], [third, ["lap"], []]);
    await journal.purge(name);
    assert.deepEqual(await journal.read(name), []);
    assert.deepEqual(textsOf(await journal.read({ ...name, origin: 18 })), ["of a later run of this id"]);
  }));

test("JournalStore reads a journal of any length", () =>
  inScene(async (scene) => {
    const journal = await journalIn(scene);
    let seq = 0;
    for (let i = 0; i < 1_200; i++) seq = (await journal.append(name, bytes(`${i}`), seq, false))!;
    const texts = textsOf(await journal.read(name));
    assert.deepEqual([texts.length, texts[0], texts.at(-1)], [1_200, "0", "1199"]);
    assert.equal((await journal.read(name, seq)).length, 1_200, "the same from anyone who has the last one");
    assert.equal((await journal.read(name, seq + 1)).length, 1_200, "the leader is asked for what nobody has");
    assert.deepEqual(await journal.read({ ...name, origin: 20 }, 0), []);
  }));

test("JournalStore reads one message at a time from a server that knows no batches", () =>
  inScene(async ({ link, run, ...scene }) => {
    const old = Object.create(await link(), { version: { value: "2.10.29" } }) as Awaited<ReturnType<typeof link>>;
    const asked: string[] = [];
    const { nc } = old;
    const publish = (subject: string, ...rest: any[]) => {
      asked.push(subject);
      return nc.publish(subject, ...rest);
    };
    Object.defineProperty(old, "nc", {
      value: new Proxy(nc, { get: (of, name) => (name === "publish" ? publish : bound(of, name)) }),
    });
    const journal = await journalIn({ ...scene, run, link: async () => old });
    let seq = 0;
    for (const text of ["a", "b", "c"]) seq = (await journal.append(name, bytes(text), seq, false))!;
    await journal.append({ ...name, origin: 18 }, bytes("of another run"), 0, false);
    assert.deepEqual(textsOf(await journal.read(name)), ["a", "b", "c"]);
    seq = (await journal.append(name, bytes("lap"), seq, true))!;
    await journal.append(name, bytes("d"), seq, false);
    assert.deepEqual(textsOf(await journal.read(name)), ["lap", "d"]);
    await journal.purge(name);
    assert.deepEqual(await journal.read(name), []);
    assert.ok(!asked.some((subject) => subject.includes("DIRECT.GET")), "no batch was asked for");
  }));

test("a full journal refuses with what to do, loses nothing, and takes more when there is room", () =>
  inScene(async (scene) => {
    const journal = await journalIn(scene, { journalMaxBytes: 1_000_000 });
    const first = await journal.append(name, bytes("a"), 0, false);
    const other = { key: "fulfil/other", origin: 19 };
    const second = await journal.append(other, new Uint8Array(900_000), 0, false);
    await assert.rejects(journal.append(name, new Uint8Array(200_000), first!, false), {
      name: "StoreUnavailable",
      message: /no room for the journals of durable runs: .*; raise journal\.maxBytes \(NATCHET_JOURNAL_MAX_BYTES\)/,
    });
    assert.deepEqual(textsOf(await journal.read(name)), ["a"]);
    await journal.append(other, bytes("smaller"), second!, true);
    assert.ok((await journal.append(name, new Uint8Array(200_000), first!, false))! > first!);
  }));

test("Subjects.parseJournal reads what journal wrote, also of runs in bundles", () => {
  for (const origin of [1, 99 + 5 / 4_096]) {
    const key = "fulfil/a.b *";
    assert.deepEqual(subjects.parseJournal(subjects.journal(key, origin)), { key, origin });
  }
  assert.throws(() => subjects.parseJournal("natchet.test.journal.a.b"), { name: "MalformedRecord" });
});
