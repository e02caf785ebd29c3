// How much there is: of each room, of each file, of each function. Only lines of code count, and what is allowed only ever shrinks.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { functionsOf } from "./functions.ts";
import { codeLines, partOf, readSources } from "./source.ts";

const files = readSources("src", "decorators").map(({ path, text, imports }) => ({
  path,
  text,
  imports,
  lines: codeLines(text),
}));

/** What a room has, and a little more; those of the scheduler stand in architecture.test.ts. It may be raised for what it could not do before, and the commit says so. */
const budgets: Record<string, number> = {
  decorators: 880,
  domain: 2_490,
  client: 1_007,
  "client/asking": 405,
  "client/results": 542,
  "client/reading": 465,
  wire: 2_221,
  nats: 3_456,
  worker: 1_842,
  "worker/presence": 468,
  "worker/durable": 2_747,
  "worker/threads": 403,
  "worker/transcripts": 486,
  "worker/heart": 223,
  facade: 1_569,
  cli: 2_183,
};

/** Rooms within rooms have a budget of their own. */
const apart = [
  ...["client/asking", "client/results", "client/reading"],
  ...["worker/transcripts", "worker/threads", "worker/heart", "worker/durable", "worker/presence"],
];

test("decorators, domain, client, wire, nats, worker, facade and cli do not outgrow their budgets", () => {
  const sizes = new Map<string, number>();
  for (const { path, lines } of files) {
    const room = apart.find((inner) => path.startsWith(`src/${inner}/`)) ?? partOf(path);
    sizes.set(room, (sizes.get(room) ?? 0) + lines);
  }
  const over = Object.entries(budgets).filter(([room, most]) => (sizes.get(room) ?? 0) > most);
  assert.deepEqual(
    over.map(([room, most]) => `${room} has ${sizes.get(room)} lines of code, ${most} are allowed`),
    [],
  );
});

test("half of the files have at most 80 lines of code, and none has over 350", () => {
  const sorted = files.map(({ lines }) => lines).sort((a, b) => a - b);
  assert.ok(sorted[sorted.length >> 1]! <= 80, `the median is ${sorted[sorted.length >> 1]}`);
  assert.deepEqual(
    files.filter(({ lines }) => lines > 350).map(({ path, lines }) => `${path}: ${lines}`),
    [],
  );
});

test("nine of ten functions have at most 16 lines of code, and none has over 50", async () => {
  const functions = await functionsOf(files);
  assert.ok(functions.length > 2_000, `${functions.length} functions`);
  const sorted = functions.map(({ lines }) => lines).sort((a, b) => a - b);
  const ninth = sorted[Math.floor(sorted.length * 0.9)]!;
  assert.ok(ninth <= 16, `one of ten has more than ${ninth} lines`);
  assert.deepEqual(
    functions.filter(({ lines }) => lines > 50).map(({ path, name, lines }) => `${path} ${name}: ${lines}`),
    [],
  );
});
