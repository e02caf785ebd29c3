// The cache of server programs that natchet has fetched.
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { compareVersions } from "../nats/server-version.ts";

type Inspected = { readonly path: string; readonly version: string };
type Inspect = (path: string) => Promise<Inspected | string>;

/**
 * Fetched server programs of this user, a folder a version; shared by every project and process. A program is executed only
 * if nobody else could have written it, and if it still is the file that was checked: its sum stands beside it.
 */
export class BinaryCache {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  static of(env: Readonly<Record<string, string>>): BinaryCache {
    const home = isAbsolute(env.HOME ?? "") ? env.HOME! : homedir();
    // A relative path means another folder for every project, as the XDG specification says.
    const base = isAbsolute(env.XDG_CACHE_HOME ?? "") ? env.XDG_CACHE_HOME! : join(home, ".cache");
    return new BinaryCache(join(base, "natchet", "nats-server"));
  }

  /** The newest cached program that runs here. */
  async newest(inspect: Inspect): Promise<Inspected | undefined> {
    if (!(await stat(this.root).then(isClosed, () => false))) return undefined;
    const names = await readdir(this.root).catch(() => []);
    const versions = names.filter((name) => /^\d+\.\d+\.\d+$/.test(name)).sort((a, b) => compareVersions(b, a));
    for (const version of versions) {
      const path = join(this.root, version, "nats-server");
      if (!(await this.#isTrusted(version, path))) continue;
      const found = await inspect(path);
      if (typeof found === "object") return found;
    }
    return undefined;
  }

  /**
   * Lets `fetch` write a program to a temporary file and moves it into its version's folder once it was seen to run.
   *
   * The move is a rename: processes that fetch at once replace each other's equal file, and no process ever sees half of one.
   */
  async add(fetch: (into: string) => Promise<void>, inspect: Inspect): Promise<Inspected> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    await chmod(this.root, 0o700);
    await this.#removeAbandoned();
    const incoming = await mkdtemp(join(this.root, ".incoming-"));
    try {
      const file = join(incoming, "nats-server");
      await fetch(file);
      await chmod(file, 0o755);
      const found = await inspect(file);
      if (typeof found === "string") throw new Error(`what was fetched ${found}`);
      const path = join(this.root, found.version, "nats-server");
      await mkdir(join(this.root, found.version), { recursive: true, mode: 0o700 });
      await chmod(join(this.root, found.version), 0o700);
      await this.#writeSum(found.version, await sumOf(file), incoming);
      await rename(file, path);
      return { path, version: found.version };
    } finally {
      await rm(incoming, { recursive: true, force: true });
    }
  }

  async #isTrusted(version: string, path: string): Promise<boolean> {
    try {
      const [folder, file] = await Promise.all([lstat(join(this.root, version)), lstat(path)]);
      if (!folder.isDirectory() || !isClosed(folder) || !file.isFile() || !isClosed(file)) return false;
      const sum = await sumOf(path);
      const written = await readFile(this.#sumFile(version), "utf8").catch(() => undefined);
      if (written !== undefined) return written.trim() === sum;
      await this.#writeSum(version, sum, join(this.root, version)); // of an earlier version, which checked it and wrote no sum
      return true;
    } catch {
      return false;
    }
  }

  async #writeSum(version: string, sum: string, scratch: string): Promise<void> {
    const temporary = join(scratch, `sum.${process.pid}`);
    await writeFile(temporary, `${sum}\n`, { mode: 0o600 });
    await rename(temporary, this.#sumFile(version));
  }

  #sumFile(version: string): string {
    return join(this.root, version, "nats-server.sha256");
  }

  // Left by a process that was killed while it fetched; an hour is longer than any fetch takes.
  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.root)) {
      if (!name.startsWith(".incoming-")) continue;
      const path = join(this.root, name);
      const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
      if (age > 3_600_000) await rm(path, { recursive: true, force: true });
    }
  }
}

/** Whether nobody but this user, or root, can have written it. */
function isClosed({ uid, mode }: Stats): boolean {
  const user = process.getuid?.();
  return (user === undefined || uid === user || uid === 0) && (mode & 0o022) === 0;
}

const sumOf = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
