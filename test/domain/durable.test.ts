import assert from "node:assert/strict";
import { childIdOf, childPlaceOf, isWanted, type Parked } from "../../src/domain/durable.ts";
import { originIn } from "../../src/domain/origin.ts";
import { assertRunId } from "../../src/domain/run-id.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

test("childPlaceOf reads what childIdOf wrote, also of a parent in a bundle", () => {
  for (const origin of [1, 4_711, originIn(99, 0), originIn(99, 4_094), 2 ** 40]) {
    const place = { origin, lap: 3, ordinal: 0, place: 9_999 };
    const id = assertRunId(childIdOf(place), "child");
    assert.deepEqual(childPlaceOf(id), place);
  }
});

test("childPlaceOf knows no parent of ids that users or other versions may choose", () => {
  for (const id of ["order-42", "~", "~1", "~1.1.0", "~0.1.0.0", "~1.0.0.0", "~1.1.0.0.0", "~1.1.00.0", "~d1.1.0.0"])
    assert.equal(childPlaceOf(id), undefined, id);
});

test("isWanted closes a group that is not listed any more, and never one that the code may have opened since", () => {
  const waits = [{ kind: "children", ordinal: 4, task: "resize", size: 2 }] as const;
  const parked: Parked = { lap: 2, ops: 6, waits, cursors: {}, journalSeq: 1 };
  const isWantedAt = (lap: number, ordinal: number) => isWanted(parked, { origin: 1, lap, ordinal, place: 0 });
  assert.deepEqual([isWantedAt(2, 4), isWantedAt(2, 6), isWantedAt(2, 7), isWantedAt(3, 0)], [true, true, true, true]);
  assert.deepEqual([isWantedAt(2, 3), isWantedAt(2, 5), isWantedAt(1, 8)], [false, false, false]);
});

test("childPlaceOf reads any text as its pattern says", () => {
  const pattern = /^~([1-9]\d{0,15})(?:-(\d{1,4}))?\.([1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})$/;
  const random = new Random();
  for (let i = 0; i < 20_000; i++) {
    const ids = ["~12-3.1.0.9", "~9007199254740991.1.2.3", "~7-0012.10.200.4294967295"];
    const chars = [...random.pick(ids)];
    for (let edits = random.whole(0, 2); edits > 0; edits--)
      chars.splice(random.whole(0, chars.length), random.whole(0, 1), random.pick([..."~.-0123456789x"]));
    const id = chars.join("");
    const [, seq, bundled, lap, ordinal, place] = pattern.exec(id) ?? [];
    const origin = bundled === undefined ? Number(seq) : originIn(Number(seq), Number(bundled));
    const expected = { origin, lap: Number(lap), ordinal: Number(ordinal), place: Number(place) };
    assert.deepEqual(childPlaceOf(id), seq === undefined ? undefined : expected, `${id} ${random.label}`);
  }
});
