// Finds workers in files: imports every module that a pattern matches and takes the exports that are workers. For development and
// simple deployments; a bundle or a compiled program lists its workers itself, since its files are not on the disk.
import { type Dirent, existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, matchesGlob, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isWorkerClass, isWorkerInstance, type WorkerSource } from "../decorators/mod.ts";
import { importFailure } from "./domain/import-failure.ts";

/**
 * Imports the files that the patterns match and returns the workers that they export, in the order of the paths, each once.
 *
 * A pattern is a folder, a file, or a glob such as `workers/**\/*.ts`. Tests, declarations, `_private` and hidden files and
 * node_modules are left out, unless a pattern names the very file. A class whose instance is exported too is given as the instance.
 *
 * Fails: TypeError for an empty pattern; Error when no worker is found, with the patterns and the files looked at, or when a file cannot be imported, with its path
 */
export async function discoverWorkers(
  patterns: string | readonly string[],
  directory: string = process.cwd(),
): Promise<WorkerSource[]> {
  const list = typeof patterns === "string" ? [patterns] : patterns;
  if (list.some((pattern) => pattern.trim() === ""))
    throw new TypeError('"" is not a pattern of files, for example "workers/**/*.ts"; is a variable unset?');
  const files = await findFiles(list, directory);
  const found = new Set<WorkerSource>();
  for (const file of files) {
    for (const value of Object.values(await importFile(file))) {
      if (isWorkerClass(value) || isWorkerInstance(value)) found.add(value);
    }
  }
  const constructed = new Set([...found].filter(isWorkerInstance).map((instance) => instance.constructor));
  const workers = [...found].filter((worker) => !constructed.has(worker as Function));
  if (workers.length === 0) throw new Error(nothingFound(list, files));
  return workers;
}

/** The files that the patterns match, sorted: the order in which a folder is read differs from system to system. */
export async function findFiles(patterns: readonly string[], directory: string): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) for (const file of await filesOf(pattern, directory)) files.add(file);
  return [...files].sort();
}

async function filesOf(pattern: string, directory: string): Promise<string[]> {
  const path = resolve(directory, pattern);
  if (!existsSync(path)) return matching(slashes(pattern), directory);
  return statSync(path).isDirectory() ? filesBelow(path) : [path];
}

/** Only the part of the pattern with glob characters is matched, so that the folders above it may have any name. */
async function matching(pattern: string, directory: string): Promise<string[]> {
  const parts = pattern.split("/");
  const plain = parts.findIndex(hasMagic);
  if (plain === -1) return [];
  const base = resolve(directory, parts.slice(0, plain).join("/") || (pattern.startsWith("/") ? "/" : "."));
  const glob = parts.slice(plain).join("/");
  return (await filesBelow(base)).filter((file) => matchesGlob(slashes(relative(base, file)), glob));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries: Dirent[] = existsSync(folder) ? await readdir(folder, { withFileTypes: true }) : [];
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name === "node_modules" || /^[._]/.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(path)));
    else if (isSource(entry.name)) files.push(path);
  }
  return files;
}

/** Fails: Error with the path and the cause */
export async function importFile(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(importFailure(file, cause), { cause });
  }
}

const isSource = (name: string): boolean =>
  /\.[cm]?[jt]sx?$/.test(name) && !/\.(?:test|spec|d)\.[cm]?[jt]sx?$/.test(name);
const hasMagic = (text: string): boolean => /[*?[\]{}]/.test(text);
const slashes = (path: string): string => path.replaceAll("\\", "/");

function nothingFound(patterns: readonly string[], files: readonly string[]): string {
  const where = patterns.map((pattern) => `"${pattern}"`).join(", ");
  const shown = files.slice(0, 10).join(", ") + (files.length > 10 ? ` and ${files.length - 10} more` : "");
  const seen = files.length === 0 ? "no file matches" : `looked at ${shown}`;
  return `no worker found in ${where}: ${seen}; export a class under @Worker, for example export class EmailWorker`;
}
