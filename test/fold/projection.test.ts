// A projection: a fold of the log whose listener leads nothing. No scheduler, no clock, no engine.
import assert from "node:assert/strict";
import { originIn } from "../../src/domain/origin.ts";
import type { OutcomeKind } from "../../src/domain/run.ts";
import type { FinishedRun } from "../../src/fold/finished-run.ts";
import { Fold } from "../../src/fold/fold.ts";
import { foldEvent } from "../../src/fold/fold-event.ts";
import type { FoldListener } from "../../src/fold/listener.ts";
import type { LiveRun } from "../../src/fold/live-run.ts";
import { readEntry } from "../../src/fold/read-entry.ts";
import { encodeBundle } from "../../src/wire/bundle-entry.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { encodeRunEntry, plainEntry } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";

/** How many runs of each task are live, and how many ended in which way. */
class Counts implements FoldListener {
  readonly of = new Map<string, Record<string, number>>();

  created({ task }: LiveRun): void {
    this.#add(task, "live", 1);
  }
  finished({ task }: LiveRun, { kind }: FinishedRun): void {
    this.#add(task, "live", -1);
    this.#add(task, kind, 1);
  }
  learned({ task, kind }: FinishedRun): void {
    this.#add(task, kind, 1);
  }
  #add(task: string, what: string, n: number): void {
    const counts = this.of.get(task) ?? {};
    this.of.set(task, { ...counts, [what]: (counts[what] ?? 0) + n });
  }
  stored(): void {}
  duplicated(): void {}
  reporting(): void {}
  reported(): void {}
  turned(): void {}
  wished(): void {}
  signalled(): void {}
  spent(): void {}
  marked(): void {}
  moved(): void {}
}

/** The log as the server has it: subjects and bytes. */
class StoredLog {
  readonly subjects = new Subjects("test");
  readonly messages: {
    readonly seq: number;
    readonly subject: string;
    readonly data: Uint8Array;
    readonly at: number;
  }[] = [];

  create(task: string, id: string): void {
    this.#append(this.subjects.run(task, id), encodeRunEntry({ ...plainEntry, createdAt: 1, input: noBytes }));
  }
  bundle(task: string, ...ids: readonly string[]): void {
    const shared = { ...plainEntry, createdAt: 1, input: noBytes };
    this.#append(
      this.subjects.bundle(task, "b"),
      encodeBundle(
        shared,
        ids,
        ids.map(() => noBytes),
      ),
    );
  }
  end(key: string, origin: number, kind: OutcomeKind): void {
    const frame = encodeOutcomeFrame({
      ...{ kind, key, turn: 1, attempt: 1, origin, at: 2, dueAt: 0 },
      ...{ detail: noBytes, input: noBytes, output: noBytes },
    });
    const subject = this.subjects.outcome("worker", "w1", this.messages.length);
    this.#append(subject, encodeOutcomeEntry("worker", [frame]));
  }
  #append(subject: string, data: Uint8Array): void {
    const seq = this.messages.length + 1;
    this.messages.push({ seq, subject, data, at: seq });
  }
}

test("a second listener makes its own of the same log, and needs nothing that an engine has", () => {
  const log = new StoredLog();
  log.create("mail", "a");
  log.create("mail", "b");
  log.bundle("resize", "x", "y", "z");
  log.end("mail/a", 1, "completed");
  log.end("mail/a", 1, "failed"); // the first one stands
  log.end("mail/b", 2, "failed");
  log.end("resize/x", originIn(3, 0), "completed");
  const fold = new Fold(0);
  const counts = new Counts();
  fold.listener = counts;
  for (const message of log.messages) foldEvent(fold, readEntry(log.subjects, message));
  assert.deepEqual(Object.fromEntries(counts.of), {
    mail: { live: 0, completed: 1, failed: 1 },
    resize: { live: 2, completed: 1 },
  });
  assert.equal(fold.live.size, 2);
});
