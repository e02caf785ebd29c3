import assert from "node:assert/strict";
import { auditPackage } from "../../../examples/license-audit/audit-package.ts";
import { findPackages } from "../../../examples/license-audit/find-packages.ts";
import { addUp } from "../../../examples/license-audit/totals.ts";
import { describe, test } from "../../support/harness.ts";
import { writeModules } from "./fixture.ts";

describe("findPackages", () => {
  test("finds scoped, nested and unreadable packages, sorted", async () => {
    await using folder = await writeModules(2);
    assert.deepEqual(await findPackages(folder.modules), [
      "@scope/outer",
      "@scope/outer/node_modules/inner",
      "broken",
      "package-000",
      "package-001",
      "silent",
      "two-faced",
    ]);
  });
});

describe("auditPackage", () => {
  test("compares the manifest with the licence file and measures the package without its nested ones", async () => {
    await using folder = await writeModules(1);
    const outer = await auditPackage(folder.modules, "@scope/outer");
    assert.deepEqual([outer.declared, outer.found, outer.verdict], ["MIT", ["MIT"], "agrees"]);
    assert.deepEqual([outer.directories, outer.files], [2, 3]);
    const twoFaced = await auditPackage(folder.modules, "two-faced");
    assert.deepEqual([twoFaced.declared, twoFaced.found, twoFaced.verdict], ["Apache-2.0", ["MIT"], "disagrees"]);
    assert.equal((await auditPackage(folder.modules, "silent")).verdict, "nothing declared");
  });

  test("names the package that cannot be read", async () => {
    await using folder = await writeModules(1);
    await assert.rejects(auditPackage(folder.modules, "broken"), /^Error: cannot read broken\/package\.json: /);
  });
});

describe("addUp", () => {
  test("gives the same totals whatever the order of the reports", async () => {
    await using folder = await writeModules(6);
    const paths = (await findPackages(folder.modules)).filter((path) => path !== "broken");
    const reports = await Promise.all(paths.map((path) => auditPackage(folder.modules, path)));
    const totals = addUp(reports, []);
    assert.deepEqual(addUp([...reports].reverse(), []), totals);
    assert.deepEqual(
      totals.licences.map(({ licence, packages }) => [licence, packages]),
      [
        ["MIT", 7],
        ["ISC", 2],
        ["none", 1],
      ],
    );
  });
});
