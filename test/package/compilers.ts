// The types of the package under the settings of other people's projects. `skipLibCheck` is off: natchet's own declarations are checked.
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { root } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { olderTypeScript, output, type Project } from "./scene.ts";

const modern = { module: "nodenext", target: "es2022", esModuleInterop: true, strict: true };
const settings: Record<string, Record<string, unknown>> = {
  "bun init": {
    ...{ lib: ["ESNext"], target: "ESNext", module: "Preserve", moduleDetection: "force", jsx: "react-jsx" },
    ...{ allowJs: true, moduleResolution: "bundler", allowImportingTsExtensions: true, verbatimModuleSyntax: true },
    ...{ strict: true, noFallthroughCasesInSwitch: true, noUncheckedIndexedAccess: true, noImplicitOverride: true },
    types: ["bun-types"],
  },
  "@tsconfig/node20": { ...modern, lib: ["es2023"], types: ["node"] },
  "@tsconfig/node22": { ...modern, lib: ["es2024", "ESNext.Array", "ESNext.Collection"], types: ["node"] },
  NestJS: {
    ...{ module: "nodenext", resolvePackageJsonExports: true, esModuleInterop: true, isolatedModules: true },
    ...{ emitDecoratorMetadata: true, experimentalDecorators: true, target: "ES2023", strictNullChecks: true },
    ...{ noImplicitAny: false, strictBindCallApply: false, noFallthroughCasesInSwitch: false, types: ["node"] },
  },
  "@tsconfig/strictest": {
    ...modern,
    ...{ allowUnusedLabels: false, allowUnreachableCode: false, exactOptionalPropertyTypes: true },
    ...{ noFallthroughCasesInSwitch: true, noImplicitOverride: true, noImplicitReturns: true },
    ...{ noPropertyAccessFromIndexSignature: true, noUncheckedIndexedAccess: true, noUnusedLocals: true },
    ...{ noUnusedParameters: true, isolatedModules: true, checkJs: true, types: ["node"] },
  },
  "strict: false": { ...modern, strict: false, types: ["node"] },
};

export function testTypes(project: () => Project): void {
  for (const [name, compilerOptions] of Object.entries(settings)) {
    test(`compile with ${name}, in TypeScript ${olderTypeScript} and our own`, async () => {
      const typeRoots = [join(root, "node_modules", "@types"), join(root, "node_modules")];
      const file = `tsconfig.${name.replace(/\W+/g, "-")}.json`;
      const config = {
        compilerOptions: { ...compilerOptions, typeRoots, noEmit: true, skipLibCheck: false },
        files: ["typed.ts"],
      };
      writeFileSync(join(project().folder, file), JSON.stringify(config));
      const cwd = project().folder;
      await Promise.all([
        output("tsc", ["-p", file], { cwd }),
        output("node", ["node_modules/typescript/bin/tsc", "-p", file], { cwd }),
      ]);
    }, 120_000);
  }

  test("deno check takes them", () =>
    output("deno", ["check", "--quiet", "typed.ts"], { cwd: project().folder }).then(() => {}));

  test("need the types of no other package, and no library of the project's", () => {
    const folder = join(project().folder, "node_modules", "natchet");
    const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const entries = Object.values<{ types?: string }>(exports).flatMap(({ types }) =>
      types === undefined ? [] : [types],
    );
    const seen = new Set(entries.map((entry) => resolve(folder, entry)));
    for (const file of seen) {
      for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:from|import\(|import) ?"([^"]+)"/g)) {
        assert.match(specifier!, /^\./, `${file} imports ${specifier}`);
        seen.add(resolve(dirname(file), specifier!.replace(/\.js$/, ".d.ts")));
      }
    }
    for (const file of globSync("**/*.d.ts", { cwd: folder }))
      assert.doesNotMatch(readFileSync(join(folder, file), "utf8"), /<reference /, file);
  });
}
