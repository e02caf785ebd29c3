// Reads the repository's own source: every file with its imports.
import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "../support/child.ts";

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The imported file from the root of the repository, undefined for a package. */
  readonly file: string | undefined;
  readonly typeOnly: boolean;
}
export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export function readSources(...folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,mjs,js}`, { cwd: root }))
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !path.split("/").some((part) => part === "node_modules" || part.startsWith(".")))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, imports: importsOf(path, text) };
    });
}

/** The groups of files that import one another in a circle, by Tarjan's algorithm. */
export function cycles(files: readonly SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const order = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (path: string): number => {
    order.set(path, order.size);
    let low = order.size - 1;
    open.push(path);
    for (const { file } of byPath.get(path)!.imports) {
      if (file === undefined || !byPath.has(file)) continue;
      if (!order.has(file)) low = Math.min(low, visit(file));
      else if (open.includes(file)) low = Math.min(low, order.get(file)!);
    }
    if (low === order.get(path)) {
      const group = open.splice(open.indexOf(path));
      if (group.length > 1) found.push(group.sort());
    }
    return low;
  };
  for (const path of byPath.keys()) if (!order.has(path)) visit(path);
  return found;
}

const statement = /^\s*(?:import|export)\s+(type\s+)?((?:[^"';]|\n)*?)from\s*["']([^"']+)["']/gm;
const bare = /^\s*import\s*["']([^"']+)["']/gm;
const dynamic = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

function importsOf(path: string, text: string): Import[] {
  const code = text.replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, "");
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) =>
    found.push({
      specifier,
      file: specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined,
      typeOnly,
    });
  for (const [, type, names, specifier] of code.matchAll(statement))
    add(specifier!, type !== undefined || onlyTypes(names!));
  for (const [, specifier] of code.matchAll(bare)) add(specifier!, false);
  for (const [, specifier] of code.matchAll(dynamic)) add(specifier!, false);
  return found;
}

function onlyTypes(names: string): boolean {
  const list = /^\s*\{([\s\S]*)\}\s*$/.exec(names)?.[1];
  if (list === undefined) return false;
  return list.split(",").every((name) => name.trim() === "" || name.trim().startsWith("type "));
}

/** The folder below src (or the file, for one that lies there itself), or `decorators`. */
export function partOf(path: string): string {
  const [top, next] = path.split("/");
  return top === "src" ? next! : top!;
}

/** The folder within that, if the file is in one. */
export const innerOf = (path: string): string => path.split("/").slice(1, -1).join("/");

/** The text without comments. */
export function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

export const codeLines = (text: string): number =>
  code(text)
    .split("\n")
    .filter((line) => line.trim() !== "").length;
