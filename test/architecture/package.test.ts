// What is published: package.json, deno.json and the code must say the same.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { runTool } from "../support/command.ts";
import { test } from "../support/harness.ts";
import { readSources } from "./source.ts";

const read = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));
const packageJson = read("package.json");
const denoJson = read("deno.json");
const entries = Object.values(packageJson.exports) as string[];

test("package.json and deno.json export the same files and have the same version", () => {
  assert.deepEqual(denoJson.exports, packageJson.exports);
  assert.equal(denoJson.version, packageJson.version);
  for (const entry of entries) assert.ok(existsSync(join(root, entry)), entry);
});

test("the imports of deno.json are the exports under the package's name", () => {
  const expected = Object.entries(packageJson.exports).map(([name, file]) => [`natchet${name.slice(1)}`, file]);
  assert.deepEqual(denoJson.imports, Object.fromEntries(expected));
});

// `nodeBootstrap` is Deno's own: it appears with the first import of a Node module.
for (const tool of ["bun", "deno"]) {
  test(`every export can be imported on ${tool}, and does no work then`, async () => {
    for (const entry of entries) {
      const script = `const before = new Set(Object.keys(globalThis)); const m = await import(${JSON.stringify(join(root, entry))});
        const added = Object.keys(globalThis).filter((key) => !before.has(key) && key !== "nodeBootstrap"); console.log(JSON.stringify([Object.keys(m).length > 0, added]));`;
      const args = tool === "bun" ? ["-e", script] : ["eval", "--quiet", script];
      const { code, output } = await runTool(tool, args);
      assert.equal(code, 0, `${entry}: ${output}`);
      assert.equal(output.trim(), "[true,[]]", entry);
    }
  });
}

test("the product imports every package that it declares, and no other", () => {
  const declared = Object.keys(packageJson.dependencies);
  const packageOf = (specifier: string) =>
    specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
  const used = readSources("src", "decorators")
    .flatMap((file) => file.imports)
    .filter(
      ({ specifier, file }) => file === undefined && !specifier.startsWith("node:") && !specifier.startsWith("bun:"),
    )
    .map(({ specifier }) => packageOf(specifier));
  assert.deepEqual([...new Set(used)].sort(), declared.sort());
});

test("versions are exact but for Effect's, which a project may share, and no lock file names a registry", () => {
  const { effect, ...others } = packageJson.dependencies;
  assert.match(effect, /^\^\d+\.\d+\.\d+$/);
  const all = { ...others, ...packageJson.devDependencies };
  assert.deepEqual(
    Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version as string)),
    [],
  );
  for (const lock of ["package-lock.json", "bun.lock"]) {
    const urls = readFileSync(join(root, lock), "utf8").match(/"resolved": "|https?:\/\/[^"]*\.tgz/g);
    assert.equal(urls, null, lock);
  }
});

test("no compiler flag for decorators is set", () => {
  for (const file of ["tsconfig.json", "deno.json"]) {
    assert.doesNotMatch(readFileSync(join(root, file), "utf8"), /experimentalDecorators|emitDecoratorMetadata/);
  }
});
