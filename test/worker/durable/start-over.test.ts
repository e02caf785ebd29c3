// A turn whose view of the journal is outdated: an earlier attempt, which nobody counts on any more, has appended since it was read.
import assert from "node:assert/strict";
import { StoreUnavailable } from "../../../src/domain/errors.ts";
import { signal } from "../../../src/domain/signal.ts";
import { encodeJournalMessage } from "../../../src/wire/journal-message.ts";
import { test } from "../../support/harness.ts";
import { World } from "./world.ts";

const Approve = signal("approve");

/** Somebody appends just before the world does, the next time. */
function outdate({ journal, clock }: World): void {
  const { append } = journal;
  journal.append = async (...args) => {
    Reflect.deleteProperty(journal, "append");
    const message = { turn: 1, attempt: 99, number: 1, time: clock.now(), begins: false, deliveries: [] };
    await append.call(journal, undefined, encodeJournalMessage(message), journal.records.at(-1)?.seq ?? 0, false);
    return append.apply(journal, args);
  };
}

const twice = () => new World({ code: async (_, ctx) => [await ctx.waitFor(Approve), await ctx.waitFor(Approve)] });

test("a turn that starts over takes what it was offered again, in the same order", async () => {
  const world = twice();
  await world.settle();
  outdate(world);
  world.signal("approve", 1);
  world.signal("approve", 2);
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: [1, 2] });
});

test("a turn that cannot read the journal again continues later", async () => {
  const world = twice();
  await world.settle();
  outdate(world);
  const { journal } = world;
  journal.read = async () => {
    if (Object.hasOwn(journal, "append")) return journal.records;
    Reflect.deleteProperty(journal, "read");
    throw new StoreUnavailable({ operation: "read a journal", reason: "it does not answer" });
  };
  world.signal("approve", 1);
  await world.settle();
  const [before, later] = world.ends;
  assert.deepEqual([before?.kind, later], ["parked", { kind: "later", ms: 10_000 }]);
  world.signal("approve", 2);
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: [1, 2] });
});
