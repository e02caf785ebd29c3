// Fetches a server program with Debian's own tools into a cache folder, without installing anything.
import { execFile } from "node:child_process";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Fetched {
  /** The folder that stands for `/`. */
  readonly root: string;
  /** Where the libraries are; for LD_LIBRARY_PATH. */
  readonly libraries: string;
}

/** The packages and those of their libraries that this machine lacks; fails where there is no apt or no archive in reach. */
export async function fetchPackages(name: string, packages: readonly string[]): Promise<Fetched> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "natchet-bench");
  const root = join(cache, name);
  if (!(await exists(root))) {
    const unfinished = `${root}-${process.pid}`;
    await mkdir(unfinished, { recursive: true });
    try {
      const wanted = [...packages, ...(await missingLibraries(packages))];
      await run("apt-get", ["download", ...wanted], { cwd: unfinished });
      for (const file of await readdir(unfinished)) {
        if (!file.endsWith(".deb")) continue;
        await run("dpkg", ["-x", file, "."], { cwd: unfinished });
        await rm(join(unfinished, file));
      }
      await rename(unfinished, root);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  const folders = ["usr/lib", "lib"].map((folder) => join(root, folder));
  const libraries: string[] = [];
  for (const folder of folders) {
    if (!(await exists(folder))) continue;
    for (const each of await readdir(folder)) if (each.includes("-linux-")) libraries.push(join(folder, each));
  }
  return { root, libraries: libraries.join(":") };
}

async function missingLibraries(packages: readonly string[]): Promise<string[]> {
  const { stdout } = await run("apt-cache", ["depends", "--no-suggests", "--no-recommends", ...packages]);
  const names = [...stdout.matchAll(/^\s*\|?Depends: (lib[\w.+-]+)$/gm)].map((match) => match[1]!);
  const missing: string[] = [];
  for (const name of new Set(names)) if (!(await isInstalled(name))) missing.push(name);
  return missing;
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg-query's.
    return (await run("dpkg-query", ["-W", "-f", "${db:Status-Status}", name])).stdout === "installed";
  } catch {
    return false;
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The first that is an existing file: in the folders of PATH, then in the given ones. */
export async function findProgram(name: string, folders: readonly string[] = []): Promise<string | undefined> {
  for (const folder of [...(process.env["PATH"] ?? "").split(":"), ...folders]) {
    if (folder !== "" && (await exists(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}
