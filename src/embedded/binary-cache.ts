import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { compareVersions } from "../nats/server-version.ts";

type Inspected = { readonly path: string; readonly version: string };
type Inspect = (path: string) => Promise<Inspected | string>;

/** Fetched server programs of this user, a folder a version; shared by every project and process. */
export class BinaryCache {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  static of(env: Readonly<Record<string, string>>): BinaryCache {
    const base = env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), ".cache");
    return new BinaryCache(join(base, "natchet", "nats-server"));
  }

  /** The newest cached program that runs here. */
  async newest(inspect: Inspect): Promise<Inspected | undefined> {
    const names = await readdir(this.root).catch(() => []);
    const versions = names.filter((name) => /^\d+\.\d+\.\d+$/.test(name)).sort((a, b) => compareVersions(b, a));
    for (const version of versions) {
      const found = await inspect(join(this.root, version, "nats-server"));
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
    await mkdir(this.root, { recursive: true });
    await this.#removeAbandoned();
    const incoming = await mkdtemp(join(this.root, ".incoming-"));
    try {
      const file = join(incoming, "nats-server");
      await fetch(file);
      await chmod(file, 0o755);
      const found = await inspect(file);
      if (typeof found === "string") throw new Error(`what was fetched ${found}`);
      const path = join(this.root, found.version, "nats-server");
      await mkdir(join(this.root, found.version), { recursive: true });
      await rename(file, path);
      return { path, version: found.version };
    } finally {
      await rm(incoming, { recursive: true, force: true });
    }
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
