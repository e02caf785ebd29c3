// What may be said to whom: nobody makes a process speak elsewhere, or stop, by what they name as their inbox.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import type { Msg, NatsLink } from "../../src/nats/link.ts";
import { Mouth } from "../../src/nats/mouth.ts";
import { jsonOf, noBytes } from "../../src/wire/bytes.ts";
import { newResultInbox } from "../../src/wire/result-inbox.ts";
import { test } from "../support/harness.ts";

function scene(publish?: () => void) {
  const sent: { readonly subject: string; readonly payload: Uint8Array }[] = [];
  const warned: unknown[] = [];
  const nc = { publish: publish ?? ((subject: string, payload: Uint8Array) => void sent.push({ subject, payload })) };
  const link = { nc, maxPayload: 10_000, isConnected: () => true } as unknown as NatsLink;
  const mouth = new Mouth(link, { ...silentLog, warn: (message) => void warned.push(message) });
  return { mouth, sent, warned };
}

test("a mouth speaks to inboxes, and to nothing else", () => {
  const { mouth, sent, warned } = scene();
  const { asked, made } = newResultInbox("_INBOX.producer");
  const inboxes = [asked, made, newResultInbox().made, "_INBOX.tAg5.1", "_INBOX.worker.QQ7-_a.3"];
  const others = [
    ...[
      "",
      "_INBOX",
      "_INBOX.",
      "_INBOX.a b",
      "_INBOX.a..b",
      "_INBOX.*",
      "_INBOX.>",
      "_INBOX.a\r\nPUB x 0",
      "_INBOXa.b",
    ],
    ...["$KV.natchet_prod.pauses", "natchet.prod.done.e9.1", "other.tenant.commands", `_INBOX.${"a".repeat(10_000)}`],
  ];
  for (const inbox of [...inboxes, ...others]) mouth.say(inbox, noBytes);
  assert.deepEqual(
    sent.map(({ subject }) => subject),
    inboxes,
  );
  assert.equal(warned.length, 1, "said once, however many there are");
});

test("a mouth never throws: what cannot be sent is not sent, and an answer that does not fit is a short error", () => {
  const broken = scene(() => {
    throw new Error("closed");
  });
  assert.equal(broken.mouth.say("_INBOX.a", noBytes), false);
  const { mouth, sent } = scene();
  const request = { reply: "_INBOX.a" } as Msg;
  assert.match(String(mouth.answer(request, "x".repeat(10_000), "the answer")), /the answer/);
  mouth.answer(request, { n: 1n }, "the answer");
  mouth.fail(request, new Error("y".repeat(10_000)));
  mouth.answer({} as Msg, 1, "no request");
  const errors = sent.map(({ payload }) => (jsonOf(payload) as { error: { name: string; message: string } }).error);
  assert.deepEqual(
    errors.map(({ name, message }) => [name, message.length < 5_000]),
    [
      ["PayloadTooLarge", true],
      ["TypeError", true],
      ["Error", true],
    ],
  );
});
