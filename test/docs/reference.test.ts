// The reference names everything that exists, and nothing else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandReference, marker } from "../../scripts/cli-reference.ts";
import * as errors from "../../src/domain/errors.ts";
import { allOptions } from "../../src/facade/known-settings.ts";
import { variables } from "../../src/facade/settings.ts";
import { root } from "../support/child.ts";
import { test } from "../support/harness.ts";

const read = (page: string) => readFileSync(join(root, "docs", page), "utf8");

test("docs/reference/errors.md explains every exported error", () => {
  const explained = Array.from(read("reference/errors.md").matchAll(/^### (\w+)$/gm), ([, name]) => name!);
  const onlyNames = ["KeyNotFound", "StepLost", "TimeoutError"]; // of failures that are stored and not thrown
  assert.deepEqual(explained.sort(), [...Object.keys(errors), ...onlyNames].sort());
});

test("docs/production/configuration.md lists every environment variable that is read", () => {
  const listed = new Set(read("production/configuration.md").match(/\b(NATS|NATCHET)_[A-Z_]+\b|\b(NO|FORCE)_COLOR\b/g));
  assert.deepEqual([...listed].sort(), Object.keys(variables).sort());
});

test("docs/production/configuration.md lists every option of connect, start and startEngine", () => {
  const page = read("production/configuration.md");
  assert.deepEqual(
    allOptions.filter((option) => !["`", "."].some((end) => page.includes(`\`${option}${end}`))),
    [],
  );
});

test("docs/reference/cli.md has every command as its help describes it (bun run scripts/cli-reference.ts)", async () => {
  const page = read("reference/cli.md");
  assert.equal(page.slice(page.indexOf(marker) + marker.length), await commandReference());
});
