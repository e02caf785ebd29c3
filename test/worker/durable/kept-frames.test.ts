import assert from "node:assert/strict";
import { Frame } from "../../../src/worker/durable/frame.ts";
import { KeptFrames } from "../../../src/worker/durable/kept-frames.ts";
import { test } from "../../support/harness.ts";
import { hop } from "./world.ts";

const idle = { stands: () => false, ended: () => {}, blocked: () => {}, warned: () => {} };

function parked(code: (frame: Frame) => unknown) {
  const frame = new Frame({ id: "f", lap: 1, time: 0, cursors: {} }, code);
  frame.begin(idle, []);
  return { frame, turn: 1, lastSeq: 0 };
}

test("KeptFrames gives a frame to a later turn only, keeps the newest ones, and lets go of what is old", () => {
  let now = 0;
  const frames = new KeptFrames({ frames: 2, frameMs: 100 }, () => now);
  const kept = [1, 2, 3].map((origin) => {
    const one = parked(() => new Promise(() => {}));
    frames.keep(origin, one);
    return one.frame;
  });
  assert.deepEqual(
    kept.map(({ isOver }) => isOver),
    [true, false, false],
  );
  assert.deepEqual([frames.has(1, 2), frames.has(2, 1), frames.has(2, 2)], [false, false, true]);
  assert.equal(frames.take(3, 1), undefined); // of this turn another worker may have parked it
  assert.equal(kept[2]!.isOver, true);
  assert.equal(frames.take(2, 2)?.frame, kept[1]);
  frames.keep(2, { frame: kept[1]!, turn: 2, lastSeq: 0 });
  now = 101;
  frames.expire();
  assert.deepEqual([frames.size, kept[1]!.isOver], [0, true]);
});

test("a frame that is dropped goes without a word to its code, and is collected", async () => {
  const said: string[] = [];
  const collected: number[] = [];
  const registry = new FinalizationRegistry<number>((i) => void collected.push(i));
  const code = (i: number) => async (frame: Frame) => {
    const mine = { bytes: new Uint8Array(10_000) };
    registry.register(mine, i);
    await using _ = {
      async [Symbol.asyncDispose]() {
        said.push("disposed");
      },
    };
    try {
      const sleep = frame.open("sleep", "", 0, { deadline: 1e9 });
      await Promise.race([sleep, Promise.all([frame.open("signal", "a", 0, {}), sleep])]);
    } catch {
      said.push("caught");
    } finally {
      said.push(`finally ${mine.bytes.length}`);
    }
  };
  const frames = new KeptFrames();
  for (let i = 0; i < 300; i++) frames.keep(i, parked(code(i)));
  await hop();
  await hop();
  frames.clear();
  for (let i = 0; i < 30 && collected.length < 250; i++) {
    collectGarbage();
    await hop();
  }
  assert.deepEqual(said, []);
  if (canCollect) assert.ok(collected.length >= 250, `${collected.length} of 300 were collected`);
});

const collector = (globalThis as { Bun?: { gc(force: boolean): void }; gc?: () => void }).Bun;
const canCollect = collector !== undefined || "gc" in globalThis;
function collectGarbage(): void {
  if (collector !== undefined) collector.gc(true);
  else (globalThis as { gc?: () => void }).gc?.();
}
