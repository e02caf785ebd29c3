// One word, one meaning: the glossaries say what exists, and no two files export a noun of the same name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { code, readSources } from "./source.ts";

const nounPattern = /^export (?:abstract )?(?:class|interface|type) (\w+)/gm;
const exportPattern = /^export (?:abstract |async )?(?:class|interface|type|const|function\*?) (\w+)/gm;
const files = readSources("src", "decorators");
const namesIn = (text: string, pattern: RegExp): string[] => [...code(text).matchAll(pattern)].map(([, name]) => name!);

/** A row of a table whose first column is a word, or several. */
const rowsOf = (page: string, section: string): string[][] =>
  readFileSync(join(root, page), "utf8")
    .split(`\n## ${section}\n`)[1]!
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| word "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

/** `live run` is said by `LiveRun`, `FinishedRuns` or `decodeLiveRun`. */
const says = (name: string, word: string): boolean =>
  name.toLowerCase().includes(word.replaceAll(/[^a-z]/gi, "").toLowerCase());

test("every word of the internals is borne by an export of the file that it names", () => {
  const rows = rowsOf("docs/internals/internals.md", "Words");
  assert.ok(rows.length > 20, `${rows.length} words`);
  const wrong = rows.flatMap(([words, , places]) => {
    const paths = [...places!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!);
    return words!.split(", ").flatMap((word, i) => {
      const file = files.find(({ path }) => path === (paths[i] ?? paths[0]));
      const isSaid = file !== undefined && namesIn(file.text, exportPattern).some((name) => says(name, word));
      return isSaid ? [] : [`${word}: ${paths[i] ?? paths[0]} exports nothing of that name`];
    });
  });
  assert.deepEqual(wrong, []);
});

/** Verbs, which no export is called. */
const verbs = ["drain"];

test("every word of the users' glossary is borne by an export", () => {
  const names = files.flatMap(({ text }) => namesIn(text, exportPattern));
  const words = rowsOf("docs/README.md", "Glossary").flatMap(([cell]) => cell!.replaceAll("*", "").split(", "));
  assert.deepEqual(
    words.filter((word) => !verbs.includes(word) && !names.some((name) => says(name, word))),
    [],
  );
});

test("no two files export a noun of the same name", () => {
  const homes = new Map<string, string[]>();
  for (const { path, text } of files)
    for (const name of new Set(namesIn(text, nounPattern))) homes.set(name, [...(homes.get(name) ?? []), path]);
  const shared = [...homes].filter(([, paths]) => paths.length > 1);
  assert.deepEqual(
    shared.map(([name, paths]) => `${name}: ${paths.join(" and ")}`),
    [],
  );
});
