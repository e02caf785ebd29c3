// What the forwarder sends: results that are small and at hand, and where the others stand.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { Forwarder } from "../../src/engine/forwarder.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { jsonBytes, jsonOf, noBytes } from "../../src/wire/bytes.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { test } from "../support/harness.ts";

const maxPayload = 256 * 1_024;

function outcomes(outputs: readonly string[]) {
  const frames = outputs.map((output, n) =>
    encodeOutcomeFrame({
      ...{ kind: "completed", key: `t/${n}`, turn: 1, attempt: 1, origin: n + 1, at: 1, dueAt: 0 },
      ...{ detail: noBytes, input: noBytes, output: jsonBytes(output) },
    }),
  );
  return decodeOutcomeEntry(encodeOutcomeEntry("worker", frames)).outcomes;
}

/** Everything that is sent to an inbox when these are forwarded in one tick. */
async function sent(
  current: { readonly seq: number; readonly outcomes: ReturnType<typeof outcomes> },
  keys: readonly [string, number][],
) {
  const messages: Uint8Array[] = [];
  const nc = { publish: (_inbox: string, message: Uint8Array) => messages.push(message) };
  const link = { nc, maxPayload, isConnected: () => true } as unknown as NatsLink;
  const forwarder = new Forwarder({ link, folding: current, log: silentLog });
  keys.forEach(([key, seq], index) => void forwarder.forward({ type: "forward", inbox: "_INBOX.i", key, seq, index }));
  await Promise.resolve();
  assert.ok(messages.every((message) => message.length <= maxPayload));
  const isReference = (message: Uint8Array) => message[0] === 0x7b;
  return {
    results: messages
      .filter((message) => !isReference(message))
      .flatMap((message) => decodeOutcomeEntry(message).outcomes),
    references: messages.filter(isReference).flatMap((message) => (jsonOf(message) as { ended: unknown[] }).ended),
  };
}

test("a small result that is being folded is sent; of a large one, and of one folded earlier, it is said where it stands", async () => {
  const folded = outcomes(["small", "x".repeat(40_000), "earlier"]);
  const { results, references } = await sent({ seq: 7, outcomes: folded }, [
    ["t/0", 7],
    ["t/1", 7],
    ["t/2", 3],
  ]);
  assert.deepEqual(
    results.map(({ key, output }) => [key, jsonOf(output)]),
    [["t/0", "small"]],
  );
  assert.deepEqual(references, [
    { key: "t/1", seq: 7, index: 1 },
    { key: "t/2", seq: 3, index: 2 },
  ]);
});

test("a tick with more results and references than a message holds is told in several", async () => {
  const folded = outcomes(Array.from({ length: 500 }, () => "x".repeat(1_000)));
  const keys = Array.from({ length: 5_000 }, (_, n): [string, number] =>
    n < 500 ? [`t/${n}`, 7] : [`t/${"k".repeat(250)}${n}`, 1],
  );
  const { results, references } = await sent({ seq: 7, outcomes: folded }, keys);
  assert.deepEqual([results.length, references.length], [500, 4_500]);
});
