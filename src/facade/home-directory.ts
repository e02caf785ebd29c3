// The home directory of a project's embedded server, which is the same in whichever folder of the project a process is started.
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

const name = ".natchet";

/**
 * An existing `.natchet` in this folder or above, up to the root of the workspace; otherwise the place for a new one: beside
 * the outermost manifest with workspaces, else beside the nearest manifest, else here.
 */
export function findHomeDirectory(from: string = process.cwd()): string {
  const folders = upwards(from);
  const workspace = folders.findLast(isWorkspace);
  const nearest = folders.find(hasManifest);
  const root = outermost(folders, [folders.findLast(isRepository), workspace, nearest]);
  const known = folders.slice(0, folders.indexOf(root) + 1).find((folder) => existsSync(join(folder, name)));
  return join(known ?? workspace ?? nearest ?? folders[0]!, name);
}

/** The folders from here upwards. The user's home directory, and everything above it, belongs to no project. */
function upwards(from: string): string[] {
  const folders: string[] = [];
  const home = homeOf();
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (folders.length > 0 && folder === home) return folders;
    folders.push(folder);
    if (folder === dirname(folder)) return folders;
  }
}

function homeOf(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined; // the program may lack the permission to read it
  }
}

const outermost = (folders: readonly string[], some: readonly (string | undefined)[]): string =>
  folders[Math.max(0, ...some.map((folder) => (folder === undefined ? 0 : folders.indexOf(folder))))]!;

const manifests = ["package.json", "deno.json", "deno.jsonc"];
const hasManifest = (folder: string): boolean => manifests.some((file) => existsSync(join(folder, file)));
const isRepository = (folder: string): boolean => existsSync(join(folder, ".git"));

/** Knows `workspaces` of npm, Bun and yarn, `workspace` of Deno, and pnpm's file. Manifests are not parsed, because Deno's may have comments. */
const isWorkspace = (folder: string): boolean =>
  existsSync(join(folder, "pnpm-workspace.yaml")) ||
  manifests.some((file) => /"workspaces?"\s*:/.test(readText(join(folder, file))));

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
