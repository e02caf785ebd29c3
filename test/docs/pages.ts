// The programs of a documentation page. Its `ts` blocks are one program, in order, as a reader meets them; a block that begins with a comment
// such as `// worker.ts` is a file of its own, which others import; `// @nestjs/core.ts` stands in for a package. `<!-- ts … -->` holds lines that a reader need not see. What all of it
// prints stands in the `text` blocks.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../support/child.ts";

export interface Page {
  /** Path below the repository, for example `docs/guide/limits.md`. */
  readonly path: string;
  readonly text: string;
  /** By the name of the file. */
  readonly files: ReadonlyMap<string, string>;
  /** The file that is run. */
  readonly main: string;
  readonly output: string;
}

const block = /^```(ts|text)\n([\s\S]*?)^```|^<!-- ts\n([\s\S]*?)^-->/gm;
const fileName = /^\/\/ (\S+\.ts)\b.*\n/;

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), "utf8");
  const files = new Map<string, string>();
  let output = "";
  let main = "program.ts";
  for (const [, language, shown, hidden] of text.matchAll(block)) {
    if (language === "text") output += shown;
    else {
      const source = (shown ?? hidden)!;
      const name = fileName.exec(source)?.[1] ?? "program.ts";
      files.set(name, (files.get(name) ?? "") + source);
      main = name;
    }
  }
  return { path, text, files, main: files.has("program.ts") ? "program.ts" : main, output };
}

/** Every page below a folder, or the one page. */
export function pagesIn(path: string): readonly string[] {
  if (path.endsWith(".md")) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join(path, file))
    .sort();
}

const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, unknown>;
};

/** Writes the files of a page, importing this repository's natchet; returns the path of the program. */
export function writePage(page: Page, folder: string): string {
  for (const [name, source] of page.files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const own = source.replaceAll(/(?<=from )"natchet(\/\w+)?"/g, sourceOf);
    const linked = own.replaceAll(/(?<=from )"(@?\w[^"]*)"/g, (given, module: string) =>
      page.files.has(`${module}.ts`) ? JSON.stringify(join(folder, `${module}.ts`)) : given,
    );
    writeFileSync(join(folder, name), `${linked}\nexport {};\n`);
  }
  return join(folder, page.main);
}

function sourceOf(_: string, entry = ""): string {
  if (!(`.${entry}` in exports)) throw new Error(`natchet${entry} is not exported`);
  return JSON.stringify(join(root, entry === "/decorators" ? "decorators/mod.ts" : sources[`.${entry}`]!));
}
const sources: Record<string, string> = {
  ".": "src/mod.ts",
  "./client": "src/client.ts",
  "./testing": "src/testing/mod.ts",
};
