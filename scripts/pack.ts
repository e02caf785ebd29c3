// Makes the package that npm gets, in dist/package: one JavaScript module a source file, with types and source maps, and a package.json of
// its own. The repository itself runs from its sources and needs no build.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const root = join(import.meta.dirname!, "..");
/** Where the package is made: the argument, or dist/package. */
const target = process.argv[2] ?? join(root, "dist", "package");

rmSync(target, { recursive: true, force: true });
compile();
for (const file of globSync("**/*.{js,d.ts}", { cwd: target })) rewrite(join(target, file));
for (const file of globSync("**/*.js.map", { cwd: target })) bringHome(join(target, file));
for (const file of ["README.md", "CHANGELOG.md", "LICENSE", "docs"])
  cpSync(join(root, file), join(target, file), { recursive: true });
cpSync(join(root, "src/cli/natchet.mjs"), join(target, "src/cli/natchet.mjs"));
rewrite(join(target, "src/cli/natchet.mjs"));
writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);

function compile(): void {
  const tsc = join(root, "node_modules", ".bin", "tsc");
  const { status } = spawnSync(tsc, ["-p", "tsconfig.build.json", "--outDir", target], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

/** The compiler rewrites imports of JavaScript. What is left: types, and the files of threads and processes. No line moves, so that source maps hold. */
function rewrite(file: string): void {
  const text = readFileSync(file, "utf8");
  const isTypes = file.endsWith(".d.ts");
  const rewritten = isTypes
    ? text.replace(/((?:from|import\() ?"\.{1,2}\/[^"]+\.)ts"/g, '$1js"')
    : text.replace(/((?:import|new URL)\("\.{1,2}\/[^"]+\.)ts"/g, '$1js"');
  const left = /(?:from|import\(|new URL\() ?"\.{1,2}\/[^"]+(?<!\.d)\.ts"/.exec(rewritten);
  if (left !== null) throw new Error(`${file} still refers to a source file: ${left[0]}`);
  if (rewritten !== text) writeFileSync(file, rewritten);
}

/** A source stands, as text, in its map; its name must be one in the package, or natchet's lines in a stack are taken for the user's. */
function bringHome(file: string): void {
  const map = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...map, sources: map.sources.map((source: string) => basename(source)) }));
}

/** The repository's package.json without what only the repository needs, and with exports of what was compiled. */
function manifest(): Record<string, unknown> {
  const {
    private: _,
    scripts,
    devDependencies,
    allowScripts,
    exports,
    ...kept
  } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return {
    ...kept,
    sideEffects: false,
    exports: {
      ...Object.fromEntries(
        Object.entries(exports as Record<string, string>).map(([name, file]) => [name, compiled(file)]),
      ),
      "./package.json": "./package.json",
    },
  };
}

function compiled(file: string): Record<string, string> {
  const script = file.replace(/\.ts$/, ".js");
  return { types: file.replace(/\.ts$/, ".d.ts"), deno: script, bun: script, default: script };
}
