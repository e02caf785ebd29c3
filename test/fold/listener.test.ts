import assert from "node:assert/strict";
import { foldBundle, foldEntry } from "../../src/fold/entries.ts";
import { Fold } from "../../src/fold/fold.ts";
import type { FoldListener } from "../../src/fold/listener.ts";
import type { FoldedEntry, FoldedOutcome } from "../../src/fold/log-events.ts";
import { foldOutcomes } from "../../src/fold/outcomes.ts";
import { describe, test } from "../support/harness.ts";

const at = 1_000;
const entry: FoldedEntry = {
  form: 0,
  priority: 1,
  createdAt: at,
  dueAt: 0,
  scheduleTimeoutMs: undefined,
  inbox: "inbox",
  extra: undefined,
};

/** A fold of a log of its own, with what its listener has heard. */
class Listening {
  readonly fold = new Fold(1_000);
  readonly heard: string[] = [];
  #seq = 0;

  constructor(isListened = true) {
    if (isListened) this.fold.listener = this.#listener();
  }
  create(id: string): void {
    foldEntry(this.fold, { type: "entry", seq: ++this.#seq, at, task: "t", id, entry });
  }
  bundle(name: string, ...ids: readonly string[]): void {
    const runs = ids.map((id) => ({ id, entry }));
    foldBundle(this.fold, { type: "bundle", seq: ++this.#seq, at, task: "t", name, runs });
  }
  outcome(by: "worker" | "engine", outcome: Partial<FoldedOutcome> & Pick<FoldedOutcome, "kind" | "key">): void {
    const whole = { turn: 1, origin: 1, at, dueAt: 0, detail: undefined, ...outcome };
    foldOutcomes(this.fold, { type: "outcomes", seq: ++this.#seq, at, by, writer: "w", outcomes: [whole] });
  }
  /** Its story may not be looked at: parsing it would cost more than all the rest. */
  completeUnread(key: string): void {
    const outcome = {
      ...{ kind: "completed" as const, key, turn: 1, origin: this.#seq, at, dueAt: 0 },
      get detail(): never {
        throw new Error("the story of a completed run was read");
      },
    };
    foldOutcomes(this.fold, { type: "outcomes", seq: ++this.#seq, at, by: "worker", writer: "w", outcomes: [outcome] });
  }
  #listener(): FoldListener {
    const { heard, fold } = this;
    return {
      stored: (name) => heard.push(`stored ${name}`),
      created: (run) => heard.push(`created ${run.key} of ${run.log.liveCount}`),
      moved: (run) => heard.push(`moved ${run.key}`),
      duplicated: (run, inbox) => heard.push(`duplicated ${run.key} for ${inbox}`),
      reporting: (writer) => heard.push(`reporting ${writer}`),
      reported: ({ kind, key }) => heard.push(`reported ${kind} of ${key}`),
      turned: (run) => heard.push(`turned ${run.key} to ${run.turn}`),
      spent: (key, name, upTo) => heard.push(`spent ${key} ${name} ${upTo}`),
      signalled: (key) => heard.push(`signalled ${key}`),
      wished: (run) => heard.push(`wished ${run.key}: ${run.trail?.cancelWish?.reason}`),
      finished: (run, as, inbox) => heard.push(`finished ${run.key}: ${as.kind} for ${inbox}, live ${fold.live.size}`),
      learned: ({ key, kind }) => heard.push(`learned ${kind} of ${key}`),
      marked: (upTo, writer) => heard.push(`marked ${upTo} by ${writer}`),
      remained: ({ key }) => heard.push(`remained ${key}`),
      forgot: ({ key }) => heard.push(`forgot ${key}`),
    };
  }
}

function live(log: Listening): void {
  log.create("a");
  log.bundle("pair", "b", "c");
  log.outcome("worker", { kind: "retry", key: "t/a" });
  log.outcome("engine", { kind: "cancelling", key: "t/a", turn: 2, detail: { reason: "enough" } });
  log.outcome("engine", { kind: "cancelling", key: "t/a", turn: 2, detail: { reason: "again" } });
  log.outcome("worker", { kind: "completed", key: "t/a", turn: 2 });
  log.outcome("worker", { kind: "completed", key: "t/a", turn: 2 });
  log.create("a");
  log.outcome("engine", { kind: "retention", key: "", dueAt: 7 });
  log.outcome("worker", { kind: "failed", key: "t/unread" });
}

describe("a fold", () => {
  test("takes from a worker nothing that only an engine may say", () => {
    const log = new Listening();
    log.create("a");
    log.create("b");
    log.outcome("worker", { kind: "completed", key: "t/b", origin: 2 });
    for (const kind of ["lost", "cancelling", "retention"] as const)
      for (const key of ["t/a", "t/b", "t/unknown"])
        log.outcome("worker", { kind, key, dueAt: 1e9, detail: { reason: "forged" } });
    const run = log.fold.live.get("t/a")!;
    assert.deepEqual([run.turn, run.trail], [1, undefined]);
    assert.deepEqual([log.fold.finished.size, log.fold.unexplained.size, log.fold.lastMark], [1, 0, undefined]);
  });

  test("tells its listener what each entry has changed, after it has", () => {
    const log = new Listening();
    live(log);
    assert.deepEqual(log.heard, [
      "stored t/a",
      "created t/a of 1",
      "stored pair",
      "created t/b of 2",
      "created t/c of 3",
      "reporting w",
      "reported retry of t/a",
      "turned t/a to 2",
      "wished t/a: enough",
      "reporting w",
      "reported completed of t/a",
      "finished t/a: completed for inbox, live 2",
      "reporting w",
      "reported completed of t/a",
      "stored t/a",
      "duplicated t/a for inbox",
      "forgot t/a",
      "marked 7 by w",
      "reporting w",
      "reported failed of t/unread",
      "learned failed of t/unread",
    ]);
  });

  test("does not read the story of a run that completed", () => {
    const log = new Listening();
    log.create("a");
    log.completeUnread("t/a");
    assert.equal(log.fold.finished.get("t/a")?.kind, "completed");
  });

  test("without a listener is the same fold", () => {
    const [listened, alone] = [new Listening(), new Listening(false)];
    for (const log of [listened, alone]) live(log);
    const { listener: _, ...told } = listened.fold;
    const { listener: __, ...untold } = alone.fold;
    assert.deepEqual(untold, told);
  });
});
