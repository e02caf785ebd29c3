import assert from "node:assert/strict";
import { Result, Schema } from "effect";
import { MalformedRecord } from "../../src/domain/errors.ts";
import { utf8 } from "../../src/wire/bytes.ts";
import { encodeMessage, errorOfReply, errorReply } from "../../src/wire/messages.ts";
import { isUnknownFilter, sentFilter } from "../../src/wire/run-filter.ts";
import { decodeRequest } from "../../src/wire/verbs.ts";
import type { Register } from "../../src/wire/worker-messages.ts";
import { test } from "../support/harness.ts";

const register: Register = {
  v: 2,
  id: "w1",
  name: "email",
  slots: 5,
  labels: { region: "eu", cores: 4 },
  runtime: "bun",
  version: "0.1.0",
  quiet: false,
  tasks: [
    {
      ...{ name: "send", timeoutMs: 60_000, scheduleTimeoutMs: null, priority: 1, retries: 0 },
      ...{ inputSchema: { type: "object" }, outputSchema: null },
    },
  ],
  executing: [{ key: "send/1", turn: 1, origin: 5, startedAt: 6 }],
};

test("messages are read back as they were sent", () => {
  assert.deepEqual(decodeRequest("register", encodeMessage(register)), register);
  const filter = { task: ["a", "b"], state: ["queued"], metadata: { customer: "42" }, ids: ["1"] } as const;
  assert.deepEqual(decodeRequest("list", encodeMessage({ filter, limit: 5 })), { filter, limit: 5 });
  assert.deepEqual(decodeRequest("cancel", encodeMessage({ runs: ["a/1"], reason: "x" })), {
    runs: ["a/1"],
    reason: "x",
  });
});

test("a message of a newer version with one field more is understood", () => {
  const { id, executing, quiet, lagMs } = decodeRequest(
    "heartbeat",
    encodeMessage({ id: "w1", executing: [], quiet: true, lagMs: 3, new: 1 }),
  );
  assert.deepEqual({ id, executing, quiet, lagMs }, { id: "w1", executing: [], quiet: true, lagMs: 3 });
});

test("a filter travels whole or not at all: older engines refuse what they would leave out, and this one what is newer", () => {
  const old = { filter: { task: "a" }, limit: 5 };
  assert.deepEqual(sentFilter(old), old);
  const sent = sentFilter({ filter: { task: "a", reason: "timeout" }, limit: 5 });
  assert.deepEqual(decodeRequest("list", encodeMessage(sent)), { filter: { task: "a", reason: "timeout" }, limit: 5 });
  const before = Schema.Struct({
    filter: Schema.optionalKey(Schema.Struct({ task: Schema.optionalKey(Schema.String) })),
  });
  const refused = Schema.decodeUnknownResult(before)(sent);
  assert.ok(Result.isFailure(refused) && isUnknownFilter(refused.failure.message));
  for (const filter of [{ shape: "round" }, '{"shape":"round"}'])
    for (const verb of ["list", "cancel"] as const)
      assert.throws(() => decodeRequest(verb, encodeMessage({ filter, limit: 5, reason: "x" })), {
        name: "MalformedRecord",
        message: /this engine does not know "shape" in a filter of runs: upgrade the engine/,
      });
  assert.throws(() => decodeRequest("list", encodeMessage({ filter: "{", limit: 5 })), MalformedRecord);
});

test("what does not fit is malformed, and the message says what and where", () => {
  const wrong: [() => unknown, RegExp][] = [
    [
      () => decodeRequest("register", encodeMessage({ ...register, slots: "5" })),
      /malformed register message: .*slots/s,
    ],
    [() => decodeRequest("register", encodeMessage({ ...register, v: 1 })), /speaks version 1 .* upgrade the worker/],
    [() => decodeRequest("register", encodeMessage({ ...register, v: 3 })), /speaks version 3 .* upgrade the engine/],
    [() => decodeRequest("register", new Uint8Array(0)), /malformed register message/],
    [() => decodeRequest("register", utf8("{")), /malformed register message: no JSON/],
    [
      () => decodeRequest("list", encodeMessage({ filter: { state: ["sleeping"] }, limit: 1 })),
      /malformed list request/,
    ],
    [() => decodeRequest("result", encodeMessage({ keys: "a/1", inbox: "x" })), /malformed result request/],
  ];
  for (const [decode, message] of wrong) {
    assert.throws(decode, (error) => error instanceof MalformedRecord && message.test(error.message));
  }
});

test("any reply may be an error", () => {
  assert.deepEqual(errorOfReply(errorReply(new TypeError("bad"))), { name: "TypeError", message: "bad" });
  assert.equal(errorOfReply({ runs: [] }), undefined);
  assert.equal(errorOfReply(null), undefined);
});
