// Every program of the documentation compiles, and prints on both runtimes what its page says. Every link leads somewhere.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, startScript } from "../support/child.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { type Page, pagesIn, readPage, writePage } from "./pages.ts";

const sections = ["README.md", "docs/start", "docs/guide", "docs/production", "docs/reference", "docs/coming-from"];
const pages = sections.flatMap(pagesIn).map(readPage);
const programs = pages.filter((page) => page.files.size > 0);

let server: NatsServer;
let folder: string;
const folderOf = (page: Page) => join(folder, page.path.replaceAll(/[/.]/g, "-"));

beforeAll(async () => {
  server = await startNatsServer();
  folder = mkdtempSync(join(import.meta.dirname!, ".programs-")); // in the repository, for its packages and settings
  for (const page of programs) writePage(page, folderOf(page));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

test("docs: all programs compile", () => {
  const options = { noUnusedLocals: false, noUnusedParameters: false, declaration: false };
  const config = { extends: "../../../tsconfig.json", compilerOptions: options, include: ["./**/*.ts"], exclude: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  try {
    execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});

for (const runtime of ["bun", "deno"] as const) {
  test(`docs: all programs print what their pages say, on ${runtime}`, async () => {
    const env = { NATS_URL: server.url, NATCHET_LOG: "silent" };
    const args = [`docs-${runtime}`, ...programs.map((page) => join(folderOf(page), page.main))];
    const child = startScript(runtime, join(import.meta.dirname!, "fixtures", "run-pages.ts"), { args, env });
    const code = await child.exited;
    const told = child.stdout().trim().split("\n");
    assert.equal(told.length, programs.length, `the programs ended with ${code}:\n${child.output()}`);
    const results = told.map((line) => JSON.parse(line) as { output: string; error?: string });
    const wrong = programs.flatMap(({ path, output }, i) => {
      const { output: printed, error } = results[i]!;
      if (error === undefined && printed === output) return [];
      return [`${path}: ${error ?? "printed something else"}\n--- printed\n${printed}--- the page says\n${output}`];
    });
    assert.equal(wrong.join("\n"), "");
  }, 240_000);
}

const headings = (text: string): readonly string[] =>
  Array.from(text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm), ([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test("docs: every link leads to a page and a heading that are there", () => {
  const wrong = ["README.md", "docs"].flatMap(pagesIn).flatMap((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const links = Array.from(text.matchAll(/\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?\)/g));
    return links.flatMap(([, to, heading]) => {
      const target = to === "" ? path : join(dirname(path), to!);
      if (!existsSync(join(root, target))) return [`${path}: ${to} is not there`];
      if (heading === undefined || !target.endsWith(".md")) return [];
      const known = headings(readFileSync(join(root, target), "utf8"));
      return known.includes(heading) ? [] : [`${path}: ${target} has no heading #${heading}`];
    });
  });
  assert.deepEqual(wrong, []);
});
