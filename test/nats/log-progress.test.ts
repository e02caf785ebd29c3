// What is said of a log rests on all that is stored when it was asked.
import assert from "node:assert/strict";
import type { NatsLink } from "../../src/nats/link.ts";
import { LogProgress } from "../../src/nats/log-progress.ts";
import { RunStore } from "../../src/nats/run-store.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";

/** A store that answers when it is told to, and a log that is folded as far as somebody says. */
function stage() {
  const asked: PromiseWithResolvers<number>[] = [];
  const ask = () => {
    const answer = Promise.withResolvers<number>();
    asked.push(answer);
    return answer.promise;
  };
  const log = new LogProgress({ lastSeq: ask, newestSeq: ask });
  return { asked, fold: (to: number) => log.moveTo(to), log };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("calls of one moment share one look at the store; one that comes after the look began makes another", async () => {
  const { asked, fold, log } = stage();
  const first = Array.from({ length: 100 }, () => log.catchUp());
  await turn();
  assert.equal(asked.length, 1);
  let isSecondThrough = false;
  const second = Array.from({ length: 100 }, () => log.catchUp());
  void Promise.all(second).then(() => {
    isSecondThrough = true;
  });
  fold(5);
  asked[0]!.resolve(5); // what is stored after that may be what the second ones ask for
  await Promise.all(first);
  await turn();
  assert.deepEqual([asked.length, isSecondThrough], [2, false]);
  asked[1]!.resolve(6);
  fold(6);
  await Promise.all(second);
});

test("what was purged is not waited for, and a store that fails one call does not fail the next", async () => {
  const { asked, fold, log } = stage();
  const purged = log.catchUp();
  await turn();
  fold(3);
  asked[0]!.resolve(9); // 4 to 9 are gone
  while (asked.length < 2) await turn();
  asked[1]!.resolve(3);
  await purged;
  const failing = log.catchUp();
  await turn();
  asked[2]!.reject(new Error("busy"));
  await assert.rejects(failing, /busy/);
  const next = log.catchUp();
  await turn();
  asked[3]!.resolve(3);
  await next;
});

test("the first outcome of a log is the one that was appended while the engine looked for it, and not what follows", async () => {
  const found = [undefined, 7];
  const store = Object.assign(new RunStore({} as NatsLink, new Subjects("test")), {
    firstSeqOf: async () => found.shift(),
    lastSeq: async () => 7,
  });
  assert.equal(await store.outcomesFrom(), 7);
  assert.equal(await store.outcomesFrom(), 8);
});
