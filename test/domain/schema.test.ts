import assert from "node:assert/strict";
import { type } from "arktype";
import { Schema } from "effect";
import * as v from "valibot";
import { z } from "zod";
import { type AnySchema, jsonSchemaOf, toStandard, validate } from "../../src/domain/schema.ts";
import { test } from "../support/harness.ts";

const schemas: Record<string, AnySchema> = {
  zod: z.object({ to: z.string(), count: z.number() }),
  valibot: v.object({ to: v.string(), count: v.number() }),
  arktype: type({ to: "string", count: "number" }) as never,
  effect: Schema.Struct({ to: Schema.String, count: Schema.Number }),
};

for (const [library, schema] of Object.entries(schemas)) {
  test(`schema of ${library}: takes what fits, names the path of what does not`, async () => {
    const standard = toStandard(schema, "input");
    assert.deepEqual(await validate(standard, { to: "a", count: 1 }), { value: { to: "a", count: 1 } });
    const refused = await validate(standard, { to: "a", count: "one" });
    assert.ok("issues" in refused);
    assert.equal(refused.issues[0]!.path, "count");
    assert.ok(refused.issues[0]!.message.length > 0);
  });
}

test("schema: defaults and transforms are applied, asynchronous schemas are awaited", async () => {
  const withDefault = toStandard(z.object({ subject: z.string().default("hello") }), "input");
  assert.deepEqual(await validate(withDefault, {}), { value: { subject: "hello" } });
  const slow = toStandard(
    z.string().refine(async (text) => text === "yes", "not yes"),
    "input",
  );
  assert.deepEqual(await validate(slow, "yes"), { value: "yes" });
  assert.deepEqual(await validate(slow, "no"), { issues: [{ path: "", message: "not yes" }] });
});

test("schema: all issues of an Effect schema are told", async () => {
  const result = await validate(toStandard(schemas["effect"], "input"), { to: 1, count: "x" });
  assert.ok("issues" in result);
  assert.deepEqual(result.issues.map((issue) => issue.path).sort(), ["count", "to"]);
});

test("jsonSchemaOf: what the library gives, else null", () => {
  assert.equal(jsonSchemaOf(toStandard(schemas["zod"], "x"))?.["type"], "object");
  assert.equal(jsonSchemaOf(toStandard(schemas["effect"], "x"))?.["type"], "object");
  assert.equal(jsonSchemaOf(toStandard(schemas["valibot"], "x")), null);
  assert.equal(jsonSchemaOf(undefined), null);
});

test("toStandard: what is not a schema is refused with its place", () => {
  for (const value of [{}, 5, "string", null, undefined, () => 1]) {
    assert.throws(
      () => toStandard(value, "@Task on send: input"),
      /^TypeError: @Task on send: input: .* is not a schema/,
    );
  }
});
