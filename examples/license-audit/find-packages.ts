// Finds the installed packages below a node_modules folder.
import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Lists the folders of all packages, at any depth.
 *
 * A folder is a package if it stands where packages are installed (`node_modules/x`, `node_modules/@s/x`) and holds a manifest, readable or
 * not, or if it stands elsewhere and its manifest has a name and a version. Links are not followed, so that nothing counts twice.
 *
 * Shape: absolute folder → paths relative to it with `/`, sorted
 */
export async function findPackages(folder: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true });
    if (path !== "" && entries.some(isManifest) && (isInstallPlace(path) || (await isPackage(join(folder, path)))))
      found.push(path);
    await Promise.all(foldersOf(entries).map((name) => visit(path === "" ? name : `${path}/${name}`)));
  };
  await visit("");
  return found.sort();
}

/** Tells whether a folder's manifest has a name and a version. */
export async function isPackage(folder: string): Promise<boolean> {
  try {
    const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return typeof name === "string" && typeof version === "string";
  } catch {
    return false;
  }
}

const isManifest = (entry: Dirent) => entry.name === "package.json" && entry.isFile();
const foldersOf = (entries: readonly Dirent[]) =>
  entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);

function isInstallPlace(path: string): boolean {
  const inside = path.split("/node_modules/").at(-1)!;
  return /^(@[^/]+\/)?[^/@.][^/]*$/.test(inside);
}
