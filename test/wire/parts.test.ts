// What does not fit into one message travels in parts, and counts when all of them are there.
import assert from "node:assert/strict";
import { textOf } from "../../src/wire/bytes.ts";
import { Assembly, encodeInParts, type Part } from "../../src/wire/parts.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

interface Message {
  readonly id: string;
  readonly tasks: readonly string[];
  readonly executing: readonly { readonly key: string }[];
  readonly part?: Part;
}

const makeAssembly = () =>
  new Assembly<Message>((parts) => ({
    id: parts[0]!.id,
    tasks: parts.flatMap(({ tasks }) => tasks),
    executing: parts.flatMap(({ executing }) => executing),
  }));
const read = (bytes: Uint8Array) => JSON.parse(textOf(bytes)) as Message;

test("lists of any length are brought back from parts that all fit", () => {
  const random = new Random();
  for (let i = 0; i < 200; i++) {
    const tasks = Array.from({ length: random.whole(0, 60) }, () => random.text(0, 40));
    const executing = Array.from({ length: random.whole(0, 60) }, () => ({ key: random.text(0, 40) }));
    const limit = random.whole(700, 5_000);
    const parts = encodeInParts({ id: "w1" }, { tasks, executing }, limit, `o${i}`);
    assert.ok(
      parts.every((part) => part.length <= limit),
      random.label,
    );
    const assembly = makeAssembly();
    const wholes = parts.map((part) => assembly.add(read(part))).filter((whole) => whole !== undefined);
    assert.deepEqual(wholes, [{ id: "w1", tasks, executing }], random.label);
  }
});

test("an item over the limit goes alone", () => {
  const tasks = ["a", "x".repeat(2_000), "b"];
  const parts = encodeInParts({ id: "w1" }, { tasks, executing: [] }, 500, "o");
  assert.deepEqual(
    parts.map((part) => read(part).tasks.length),
    [1, 1, 1],
  );
});

test("a part that is missing is told to who sends the next one; the whole after it counts", () => {
  const lists = { tasks: ["a".repeat(200), "b".repeat(200), "c".repeat(200)], executing: [] };
  const messages = (of: string) => encodeInParts({ id: "w1" }, lists, 500, of).map(read);
  const assembly = makeAssembly();
  const [first, , third] = messages("one");
  assert.equal(assembly.add(first!), undefined);
  assert.throws(() => assembly.add(third!), /part 3 of 3 came without the one before it/);
  assert.throws(() => assembly.add(messages("two")[1]!), /came without the one before it/);
  assert.deepEqual(
    messages("three").map((part) => assembly.add(part)?.tasks),
    [undefined, undefined, lists.tasks],
  );
});
