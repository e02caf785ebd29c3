import assert from "node:assert/strict";
import { isInboxPrefix, madeInboxOf, newResultInbox, waiterOf } from "../../src/wire/result-inbox.ts";
import { engineWriter, Subjects } from "../../src/wire/subjects.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const subjects = new Subjects("prod");

test("the names of a namespace", () => {
  assert.equal(subjects.stream, "NATCHET_prod");
  assert.equal(subjects.runs, "natchet.prod.run.>");
  assert.equal(subjects.outcomes, "natchet.prod.done.>");
  assert.equal(subjects.bucket, "natchet_prod");
  assert.equal(subjects.engine("register"), "natchet.prod.engine.register");
  assert.equal(subjects.worker("w1", "assign"), "natchet.prod.worker.-.w1.assign");
  assert.equal(subjects.worker("mail-w1", "ping"), "natchet.prod.worker.mail.w1.ping");
  assert.equal(subjects.epoch, "natchet.prod.epoch");
  assert.throws(() => new Subjects("a.b"), /"a\.b" is not a valid namespace name/);
});

test("a run's subject holds any id as one token, and is read back", () => {
  const random = new Random();
  for (let i = 0; i < 500; i++) {
    const run = { task: "send-email", id: random.text(1, 20) };
    const subject = subjects.run(run.task, run.id);
    assert.equal(subject.split(".").length, 5, random.label);
    assert.doesNotMatch(subject, /[\s*>]/);
    assert.ok(subjects.isRun(subject) && !subjects.isRun(subjects.outcome("worker", "w1", 1)));
    assert.deepEqual(subjects.parseRun(subject), run, random.label);
  }
});

test("whoever names an inbox that would spoil a subject is told by the engine", () => {
  assert.equal(waiterOf("_INBOX.abc.new"), "abc");
  for (const inbox of [
    "",
    "_INBOX.abc",
    "_INBOX..new",
    "_INBOX.a.b.c.new",
    "_INBOX.a-b.new",
    "_INBOX.a-b.c.new",
    "_INBOX.*.new",
    "_INBOX.a b.new",
    "other.abc.new",
  ])
    assert.equal(waiterOf(inbox), "", inbox);
  assert.equal(waiterOf(newResultInbox().made).length, 20);
});

// One token of an outcome's subject has both, and the server takes it apart again where it passes the outcome on.
test("an inbox of a role is named by one token, and read back", () => {
  const { made, log } = newResultInbox("_INBOX.producer");
  const waiter = waiterOf(made);
  assert.match(waiter, /^producer-[0-9a-z]{20}$/);
  assert.equal(madeInboxOf(waiter), made);
  assert.equal(log, `_INBOX.${waiter.replace("-", ".")}.log`);
  assert.ok(["_INBOX", "_INBOX.web_1"].every(isInboxPrefix));
  assert.ok(!["", "_INBOX.", "_INBOX.a-b", "_INBOX.a.b", "_INBOX_a", "_INBOX.*", "inbox"].some(isInboxPrefix));
});

test("an outcome's subject names its writer and number, and who waits for it", () => {
  assert.equal(engineWriter(7), "e7");
  const byEngine = subjects.outcome("engine", engineWriter(7), 12);
  assert.equal(byEngine, "natchet.prod.done.engine.-.e7.12");
  assert.deepEqual(subjects.parseOutcome(byEngine), { by: "engine", writer: "e7", n: 12, waiter: "" });
  const told = subjects.outcome("worker", "w1", 3, "abc");
  assert.equal(told, "natchet.prod.done.worker.-.w1.3.abc");
  assert.deepEqual(subjects.parseOutcome(told), { by: "worker", writer: "w1", n: 3, waiter: "abc" });
  const ofRole = subjects.outcome("worker", "mail-w1", 3);
  assert.equal(ofRole, "natchet.prod.done.worker.mail.w1.3");
  assert.deepEqual(subjects.parseOutcome(ofRole), { by: "worker", writer: "mail-w1", n: 3, waiter: "" });
});

test("an outcome's subject of format 1 leaves it to its entry who wrote it, where that may have been an engine", () => {
  const parse = (rest: string) => subjects.parseOutcome(`natchet.prod.done.${rest}`);
  assert.deepEqual(parse("e7.12"), { by: undefined, writer: "e7", n: 12, waiter: "" });
  assert.deepEqual(parse("w1.3.mail-abc"), { by: "worker", writer: "w1", n: 3, waiter: "mail-abc" });
  for (const rest of ["format", "w1.x", "w1", "w1.1.2.3", "engine.-.e7.x", "boss.-.w1.3", "worker.-.w1.3.a.b", ""])
    assert.throws(() => parse(rest), { _tag: "MalformedRecord" }, rest);
  assert.throws(() => subjects.parseOutcome("natchet.other.done.e7.12"), { _tag: "MalformedRecord" });
});
