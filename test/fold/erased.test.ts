// What is left of a log of which runs were erased tells the same as all of it: who finished how, and where that stands.
import assert from "node:assert/strict";
import type { OutcomeKind } from "../../src/domain/run.ts";
import { foldEntry } from "../../src/fold/entries.ts";
import { Fold } from "../../src/fold/fold.ts";
import type { FoldedEntry, OutcomesEvent } from "../../src/fold/log-events.ts";
import { foldOutcomes } from "../../src/fold/outcomes.ts";
import { isCovered, isEntryGone, isMovable } from "../../src/housekeeping/erasure.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

type Entry =
  | { readonly seq: number; readonly id: string; readonly entry?: FoldedEntry }
  | (Omit<OutcomesEvent, "type" | "at" | "writer"> & { readonly at?: number });

const entry: FoldedEntry = {
  ...{ form: 0, priority: 1, createdAt: 1, dueAt: 0, scheduleTimeoutMs: undefined, inbox: "" },
  extra: { metadata: { who: "ann" } },
};
const outcome = (id: string, kind: OutcomeKind, origin: number, turn = 1, more: object = {}) => ({
  ...{ kind, key: `t/${id}`, turn, origin, at: 1, dueAt: 0, detail: undefined },
  ...more,
});
const stone = (id: string, origin: number, was: OutcomeKind) =>
  outcome(id, "erased", origin, 1, { detail: { createdAt: 7, priority: 0, attempts: [], was } });

function foldOf(log: readonly Entry[]): Fold {
  const fold = new Fold(1_000);
  for (const one of log) {
    const at = 1_000 + one.seq;
    if ("id" in one)
      foldEntry(fold, { type: "entry", seq: one.seq, at, task: "t", id: one.id, entry: one.entry ?? entry });
    else foldOutcomes(fold, { type: "outcomes", at, writer: one.by === "engine" ? "e1" : "w1", ...one });
  }
  return fold;
}
const told = (fold: Fold) => ({
  live: [...fold.live.values()].map(({ key, turn, attempt, readyAt }) => ({ key, turn, attempt, readyAt })),
  finished: [...fold.finished.values()].map(({ key, kind, seq, index, at, origin, isErased, metadata }) => ({
    ...{ key, kind, seq, index, at, origin, isErased: isErased === true },
    metadata: isErased === true ? metadata : undefined,
  })),
});

/** Six runs; the second and the fifth are erased, and their outcomes stood beside those of the others. */
const log: readonly Entry[] = [
  ...["a", "b", "c", "d", "e", "f"].map((id, i) => ({ seq: i + 1, id })),
  {
    seq: 7,
    by: "worker",
    outcomes: [outcome("b", "retry", 2), outcome("c", "retry", 3), outcome("a", "completed", 1)],
  },
  {
    seq: 8,
    by: "worker",
    outcomes: [outcome("d", "failed", 4), outcome("b", "completed", 2, 2), outcome("e", "failed", 5)],
  },
  { seq: 9, by: "worker", outcomes: [outcome("c", "completed", 3, 2)] },
  { seq: 10, by: "engine", outcomes: [stone("b", 2, "completed"), stone("e", 5, "failed")] },
  {
    ...{ seq: 11, by: "worker", moved: { places: [7], at: 1_007 } },
    outcomes: [outcome("a", "completed", 1)],
  },
  { seq: 12, by: "worker", moved: { places: [8], at: 1_008 }, outcomes: [outcome("d", "failed", 4)] },
];
const without = (...seqs: number[]) => log.filter(({ seq }) => !seqs.includes(seq));

test("a fold of what is left of a log with erased runs is the fold of all of it, at each step of the erasure", () => {
  const whole = told(foldOf(log));
  assert.deepEqual(
    whole.finished.map(({ key, kind, seq, index, isErased }) => [key, kind, seq, index, isErased]),
    [
      ["t/c", "completed", 9, 0, false],
      ["t/b", "completed", 10, 0, true],
      ["t/e", "failed", 10, 1, true],
      ["t/a", "completed", 11, 0, false],
      ["t/d", "failed", 12, 0, false],
    ],
  );
  // Outcomes are replaced one by one, then entries go: first those of the erased runs, later any.
  const lefts = [without(7), without(7, 8), without(7, 8, 2), without(7, 8, 2, 5), without(7, 8, 1, 2, 5)];
  for (const left of lefts) assert.deepEqual(sorted(told(foldOf(left))), sorted(whole));
});

const sorted = ({ live, finished }: ReturnType<typeof told>) => ({
  live: live.toSorted((a, b) => a.key.localeCompare(b.key)),
  finished: finished.toSorted((a, b) => a.seq - b.seq || a.index - b.index),
});

test("a stone counts for its own run only, and from an engine", () => {
  const again: Entry[] = [
    ...log,
    { seq: 20, by: "engine", outcomes: [stone("a", 99, "completed"), stone("f", 99, "failed")] },
  ];
  assert.deepEqual(told(foldOf(again)), told(foldOf(log)));
  const forged: Entry[] = [...log, { seq: 20, by: "worker", outcomes: [stone("a", 1, "completed")] }];
  assert.deepEqual(told(foldOf(forged)), told(foldOf(log)));
});

test("an outcome that is moved is as old as it was, and says nothing a second time", () => {
  const fold = foldOf(without(9, 12));
  const c = fold.live.get("t/c")!;
  assert.deepEqual([c.turn, c.attempt], [2, 2]);
  assert.equal(fold.finished.get("t/a")!.at, 1_007);
});

test("a stone takes the place of what a zombie says late of an earlier run with that id, when nothing else is left of its own", () => {
  const fold = foldOf([
    { seq: 65, by: "worker", outcomes: [outcome("a", "completed", 15)] },
    { seq: 68, by: "engine", outcomes: [stone("a", 64, "cancelled")] },
  ]);
  const { kind, seq, origin, isErased } = fold.finished.get("t/a")!;
  assert.deepEqual({ kind, seq, origin, isErased }, { kind: "cancelled", seq: 68, origin: 64, isErased: true });
});

test("a stone that comes after its run was forgotten takes over the entry of a duplicate, so that it goes before the outcomes do", () => {
  const mark = outcome("", "retention", 2, 0, { key: "", dueAt: 2 });
  const fold = foldOf([
    { seq: 1, id: "a" },
    { seq: 2, by: "worker", outcomes: [outcome("a", "completed", 1)] },
    { seq: 3, id: "a" },
    { seq: 4, by: "engine", outcomes: [mark] },
    { seq: 5, by: "engine", outcomes: [stone("a", 1, "completed")] },
  ]);
  assert.equal(fold.finished.get("t/a")!.entrySeq, 3);
  assert.equal(fold.leftovers.get("t/a"), 3); // or the outcomes that the mark has given up would go before it
  assert.equal(isEntryGone(fold, "t/a"), false);
});

test("the outcome of a run in finished form that is moved has to be covered again: the entry names its old place", () => {
  const state = { asOf: 4, origin: 1, kind: "completed" as const, seq: 2, index: 0, at: 1_002 };
  const fold = foldOf([
    { seq: 2, by: "worker", outcomes: [outcome("a", "completed", 1)] },
    { seq: 5, id: "a", entry: { ...entry, form: 2, extra: { state } } },
    { seq: 6, by: "worker", moved: { places: [2], at: 1_002 }, outcomes: [outcome("a", "completed", 1)] },
  ]);
  const { seq, firstOutcome, isCompacted } = fold.finished.get("t/a")!;
  assert.deepEqual({ seq, firstOutcome, isCompacted }, { seq: 6, firstOutcome: 6, isCompacted: true });
});

test("an entry in finished form that was written before an outcome moved names its old place; it stands at the new one", () => {
  const state = { asOf: 4, origin: 1, kind: "completed" as const, seq: 2, index: 0, at: 1_002 };
  const rest: Entry[] = [
    { seq: 5, by: "worker", moved: { places: [2], at: 1_002 }, outcomes: [outcome("a", "completed", 1)] },
    { seq: 6, id: "a", entry: { ...entry, form: 2, extra: { state } } },
  ];
  const all: Entry[] = [{ seq: 2, by: "worker", outcomes: [outcome("a", "completed", 1)] }, ...rest];
  for (const log of [rest, all]) assert.equal(foldOf(log).finished.get("t/a")!.seq, 5);
});

test("what a run's turns were is needed until the purge of its entry is answered", () => {
  const fold = foldOf([
    { seq: 1, id: "a" },
    { seq: 2, by: "engine", outcomes: [outcome("a", "lost", 1)] },
    { seq: 3, by: "worker", outcomes: [outcome("a", "failed", 1, 2)] },
  ]);
  const { entries } = fold.logOf("t");
  fold.finished.get("t/a")!.entrySeq = 0; // as when the purge is asked for
  entries.clearTo = 2;
  assert.equal(isCovered(fold, "t/a", 2), false);
  entries.purgedTo = 2;
  assert.equal(isCovered(fold, "t/a", 2), true);
});

/** A log as workers and engines write it: runs end in any order, many in an entry, and some are erased, step by step. `left` is what a store has then. */
function randomLog(random: Random): { readonly whole: Entry[]; readonly left: Entry[] } {
  const whole: Entry[] = [];
  let left: Entry[] = [];
  let seq = 0;
  const add = (
    one: Omit<Exclude<Entry, { readonly id: string }>, "seq"> | { readonly id: string; readonly entry?: FoldedEntry },
  ): number => {
    const stored = { ...one, seq: ++seq } as Entry;
    whole.push(stored);
    left.push(stored);
    return seq;
  };
  const turns = new Map<string, { readonly origin: number; turn: number }>();
  const ended = new Map<string, { readonly origin: number; readonly was: OutcomeKind }>();
  /** What the engine writes of the others before their turns go. */
  const cover = (key: string, upTo: number) => {
    const fold = foldOf(whole);
    if (isCovered(fold, key, upTo)) return;
    const id = key.slice(2);
    const run = fold.live.get(key);
    const {
      origin,
      kind,
      seq: at,
      index,
    } = fold.finished.get(key) ?? { origin: 0, kind: "completed", seq: 0, index: 0 };
    const ofLive = run && {
      ...{ asOf: seq, origin: run.origin, turn: run.turn, attempt: run.attempt, lost: run.lost, dueAt: 0 },
      ...{ readyAt: run.readyAt, retrying: false, history: run.history },
    };
    const ofEnded = {
      asOf: seq,
      origin,
      kind,
      seq: at,
      index,
      at: fold.finished.get(key)?.at ?? 0,
      ...(fold.finished.get(key)?.isErased && { erased: true as const }),
    };
    left = left.filter((one) => !("id" in one && one.id === id));
    add({ id, entry: { ...entry, form: run === undefined ? 2 : 1, extra: { state: ofLive ?? ofEnded } } });
  };
  const erase = (id: string) => {
    const { origin, was } = ended.get(id)!;
    add({ by: "engine", outcomes: [stone(id, origin, was)] });
    for (const entry of left.filter((one) => "outcomes" in one && one.outcomes.some(isOf(id)))) {
      const { outcomes, moved, ...rest } = entry as OutcomesEvent;
      for (const { key, kind } of outcomes) if (key !== `t/${id}` && isTurn(kind)) cover(key, entry.seq);
      const kept = outcomes.filter((one) => !isOf(id)(one) && !isTurn(one.kind));
      const at = moved?.at ?? 1_000 + entry.seq;
      if (kept.length > 0)
        add({ by: rest.by, moved: { places: [...(moved?.places ?? []), entry.seq], at }, outcomes: kept });
      left = left.filter((one) => one !== entry);
      if (random.chance(0.1)) return; // the engine died, and nobody has led since
    }
    left = left.filter((one) => !("id" in one && one.id === id));
  };
  for (let i = 0; i < 60; i++) {
    const deed = random.whole(0, 9);
    if (deed < 3) {
      const id = `r${seq}`;
      turns.set(id, { origin: seq + 1, turn: 1 });
      add({ id });
    } else if (deed < 8) {
      const outcomes = [...turns]
        .filter(() => random.chance(0.4))
        .slice(0, 4)
        .map(([id, run]) => {
          const kind = random.pick(["completed", "failed", "retry", "returned"] as const);
          const said = outcome(id, kind, run.origin, run.turn);
          if (kind === "retry" || kind === "returned") run.turn++;
          else {
            turns.delete(id);
            ended.set(id, { origin: run.origin, was: kind });
          }
          return said;
        });
      if (outcomes.length > 0) add({ by: "worker", outcomes });
    } else if (ended.size > 0) {
      const id = random.pick([...ended.keys()]);
      erase(id);
      if (random.chance(0.3)) erase(id); // asked for again
      ended.delete(id);
    }
  }
  return { whole, left };
}
const isTurn = (kind: string): boolean => kind === "retry" || kind === "returned";
const isOf = (id: string) => (one: { readonly key: string; readonly kind: string }) =>
  one.key === `t/${id}` && one.kind !== "erased";

test("random logs of which runs were erased: what is left tells the same as all of it", () => {
  for (let i = 0; i < 400; i++) {
    const random = new Random();
    const { whole, left } = randomLog(random);
    assert.deepEqual(sorted(told(foldOf(left))), sorted(told(foldOf(whole))), random.label);
  }
});

test("a stone counts among its parent's children as its run had ended, not as what it replaces", () => {
  const child = "~1.1.0.0";
  const zombie = { seq: 9, by: "worker" as const, outcomes: [outcome(child, "failed", 2)] };
  const fold = foldOf([zombie, { seq: 10, by: "engine", outcomes: [stone(child, 5, "completed")] }]);
  assert.deepEqual({ ...fold.families.group(1, 1, 0) }, { ended: 1, failed: 0 });
});

test("what a mark has given up is purged from the front, and not left out from between: an engine that lags behind must notice", () => {
  // Found by seed 93000281 over 4,000 steps: it had read the entry of "a" and nothing of its end, and held it for live ever after.
  const mark = { ...outcome("", "retention", 3), key: "", dueAt: 3 };
  const ended = { seq: 3, by: "worker" as const, outcomes: [outcome("a", "completed", 1), outcome("b", "failed", 2)] };
  const late = { seq: 4, by: "worker" as const, outcomes: [outcome("b", "failed", 2)] }; // so that the mark does not forget it
  const fold = foldOf([{ seq: 1, id: "a" }, { seq: 2, id: "b" }, ended, late]);
  assert.equal(isMovable(fold, "t/a", 3), true);
  foldOutcomes(fold, { type: "outcomes", seq: 5, at: 1_005, by: "engine", writer: "e1", outcomes: [mark] });
  assert.deepEqual([fold.finished.has("t/a"), fold.finished.has("t/b")], [false, true]);
  assert.equal(isMovable(fold, "t/a", 3), false);
});

test("a stone stays as long as what was said of its run after it: otherwise only that would be left, and count", () => {
  const late = { seq: 4, by: "worker" as const, outcomes: [outcome("a", "failed", 1)] };
  const mark = { seq: 5, by: "engine" as const, outcomes: [{ ...outcome("", "retention", 4), key: "", dueAt: 3 }] };
  const ended = { seq: 2, by: "worker" as const, outcomes: [outcome("a", "completed", 1)] };
  const log = [ended, { seq: 3, by: "engine" as const, outcomes: [stone("a", 1, "completed")] }, late];
  assert.equal(foldOf([...log, mark]).finished.get("t/a")?.isErased, true);
  // It may go once there is a newer stone.
  const fold = foldOf(log);
  assert.equal(isMovable(fold, "t/a", 4), false);
  foldOutcomes(fold, {
    ...{ type: "outcomes", seq: 5, at: 1_005, by: "engine", writer: "e1" },
    outcomes: [stone("a", 1, "completed")],
  });
  assert.equal(isMovable(fold, "t/a", 4), true);
});

test("the newest stone of a run counts, also when an entry in finished form comes late that was written for an earlier one", () => {
  const state = { asOf: 4, origin: 1, kind: "completed" as const, seq: 3, index: 0, at: 1_003, erased: true as const };
  const fold = foldOf([
    { seq: 3, by: "engine", outcomes: [stone("a", 1, "completed")] },
    { seq: 5, by: "engine", outcomes: [stone("a", 1, "completed")] },
    { seq: 6, id: "a", entry: { ...entry, form: 2, extra: { state } } },
  ]);
  const { seq, at, isErased } = fold.finished.get("t/a")!;
  assert.deepEqual({ seq, at, isErased }, { seq: 5, at: 1_005, isErased: true });
});

test("what was said of a run after its end is left out only once its entry is as old as that: a mark in between would forget it in the rest alone", () => {
  const state = { asOf: 2, origin: 1, kind: "completed" as const, seq: 2, index: 0, at: 1_002 };
  const log: Entry[] = [
    { seq: 1, id: "a" },
    { seq: 2, by: "worker", outcomes: [outcome("a", "completed", 1)] },
    { seq: 3, by: "worker", outcomes: [outcome("a", "retry", 1)] },
    { seq: 4, id: "a", entry: { ...entry, form: 2, extra: { state } } },
  ];
  assert.equal(isCovered(foldOf(log), "t/a", 3), false);
  const newer = { ...state, asOf: 4 };
  assert.equal(
    isCovered(foldOf([...log, { seq: 5, id: "a", entry: { ...entry, form: 2, extra: { state: newer } } }]), "t/a", 3),
    true,
  );
});
