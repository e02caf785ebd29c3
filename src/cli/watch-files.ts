// Notices when the source of a project changes. Each folder has its own watcher, renewed whenever its entry in the parent folder changes: a
// folder that was replaced (by git, by `cp`, by a generator) is a different one with the same name.
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { IgnoredFiles } from "./ignored-files.ts";

/** Code is watched anywhere in the folder; data only if it is imported, since tasks write data. */
const isCode = (path: string) => /\.[cm]?[jt]sx?$/.test(path);
const settings = /^(?:package\.json|tsconfig\.json|deno\.jsonc?|bunfig\.toml|\.env(?:\..+)?)$/;

export interface Watching {
  /** Also watches these modules, wherever they are and whatever is ignored; they replace those of the previous call. */
  setModules(files: Iterable<string>): void;
  close(): void;
}

export interface WatchOptions {
  readonly quietMs?: number;
  /** Called once if not everything can be watched: a system has only so many watchers. */
  readonly onIncomplete?: (error: Error) => void;
}

/**
 * Calls `onChange` once for all changes within `quietMs` of each other, with the last of them.
 *
 * Watches the code files of the folder, its settings (package.json, deno.json, .env, …), and imported modules. Ignores hidden
 * folders, `node_modules`, `dist`, `out`, `coverage`, and what `.gitignore` names.
 *
 * @default quietMs 150
 */
export function watchFiles(folder: string, onChange: (path: string) => void, options: WatchOptions = {}): Watching {
  return new FolderWatch(resolve(folder), onChange, options);
}

/** A deleted folder is looked for again after growing pauses: Bun reports a quick delete and recreate only once. */
const renewMs = 50;
const longestRenewMs = 3_000;

class FolderWatch implements Watching {
  readonly #top: string;
  readonly #ignored: IgnoredFiles;
  readonly #onChange: (path: string) => void;
  readonly #quietMs: number;
  #onIncomplete: ((error: Error) => void) | undefined;
  /** By folder: the top, all subfolders that are not ignored, and those of imported modules outside. */
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string | undefined }>();
  /** The reported files, as they were then. */
  readonly #told = new Map<string, string>();
  /** Folders that are about to be watched again. */
  readonly #renewals = new Map<string, ReturnType<typeof setTimeout>>();
  #modules: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(top: string, onChange: (path: string) => void, { quietMs = 150, onIncomplete }: WatchOptions) {
    this.#onIncomplete = onIncomplete;
    this.#top = top;
    this.#ignored = new IgnoredFiles(top);
    this.#onChange = onChange;
    this.#quietMs = quietMs;
    this.#openTree(top);
  }

  setModules(files: Iterable<string>): void {
    this.#modules = new Set(files);
    const folders = new Set([...this.#modules].map((file) => dirname(file)));
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#open(folder);
    for (const folder of [...this.#watchers.keys()])
      if (!this.#isWatchedTree(folder) && !folders.has(folder)) this.#close(folder);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const timer of this.#renewals.values()) clearTimeout(timer);
    for (const folder of [...this.#watchers.keys()]) this.#close(folder);
  }

  #isInside(path: string): boolean {
    return path === this.#top || path.startsWith(this.#top + sep);
  }

  #isWatchedTree(folder: string): boolean {
    return folder === this.#top || (this.#isInside(folder) && !this.#ignored.has(folder, true));
  }

  #openTree(folder: string): void {
    this.#open(folder);
    for (const { path, isFolder } of entriesOf(folder)) if (isFolder && this.#isWatchedTree(path)) this.#openTree(path);
  }

  /** The watcher of an unchanged folder stays. */
  #open(folder: string): void {
    const identity = identityOf(folder);
    if (identity !== undefined && this.#watchers.get(folder)?.identity === identity) return;
    this.#close(folder);
    try {
      const watcher = watch(folder, (event, name) => this.#heard(folder, event, name));
      watcher.on("error", () => this.#close(folder)); // it is gone; the parent folder reports when it comes back
      this.#watchers.set(folder, { watcher, identity });
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return; // gone since it was listed
      this.#onIncomplete?.(error as Error);
      this.#onIncomplete = undefined;
    }
  }

  #close(folder: string): void {
    this.#watchers.get(folder)?.watcher.close();
    this.#watchers.delete(folder);
  }

  #heard(folder: string, event: string, name: string | Buffer | null): void {
    if (this.#isClosed || name === null) return;
    const path = join(folder, basename(String(name)));
    if (basename(path) === ".gitignore") this.#ignored.forget();
    // Neither event name is reliable: Bun calls some additions "change", and Deno reports files of subfolders to their parent.
    if (event === "rename" || this.#watchers.get(path)?.identity !== identityOf(path)) this.#renew(path);
    if (this.#isRelevant(path) && this.#hasChanged(path, event)) this.#tell(path);
  }

  /** One write causes several events, on Deno far apart; and a folder reports files of other folders. */
  #hasChanged(path: string, event: string): boolean {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return this.#told.delete(path) || event === "rename";
    const now = `${stats.ino}/${stats.size}/${stats.mtimeMs}`;
    if (this.#told.get(path) === now) return false;
    this.#told.set(path, now);
    return true;
  }

  /** An entry was added, removed or replaced. */
  #renew(path: string): void {
    const had = [...this.#watchers.keys()].filter((folder) => folder === path || folder.startsWith(path + sep));
    const stale = had.filter((folder) => this.#watchers.get(folder)!.identity !== identityOf(folder));
    for (const folder of stale) this.#close(folder);
    if (stale.length > 0) this.#tell(path);
    if (stale.length > 0 || identityOf(path) !== undefined) this.#openLater(path, renewMs);
  }

  #openLater(path: string, ms: number): void {
    clearTimeout(this.#renewals.get(path));
    this.#renewals.set(
      path,
      setTimeout(() => this.#openAgain(path, ms), ms),
    );
  }

  #openAgain(path: string, ms: number): void {
    this.#renewals.delete(path);
    if (identityOf(path) === undefined) {
      if (ms < longestRenewMs) this.#openLater(path, ms * 4);
      return;
    }
    const before = this.#watchers.size;
    if (this.#isWatchedTree(path)) this.#openTree(path);
    for (const file of this.#modules) if (file.startsWith(path + sep)) this.#open(dirname(file));
    // What was written into it before it was watched caused no event.
    if (this.#watchers.size > before && this.#filesBelow(path).some((file) => this.#isRelevant(file))) this.#tell(path);
  }

  #filesBelow(folder: string): string[] {
    return entriesOf(folder).flatMap(({ path, isFolder }) => {
      if (!isFolder) return [path];
      return this.#isWatchedTree(path) ? this.#filesBelow(path) : [];
    });
  }

  #isRelevant(path: string): boolean {
    if (this.#modules.has(path)) return true;
    if (!this.#isInside(path)) return false;
    if (dirname(path) === this.#top && settings.test(basename(path))) return true;
    return isCode(path) && !this.#ignored.has(path, false);
  }

  #tell(path: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onChange(relative(this.#top, path)), this.#quietMs);
  }
}

/** Distinguishes a folder from another one with the same name, even if its inode is reused; undefined if it is not a folder. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() === true ? `${stats.dev}/${stats.ino}/${stats.birthtimeMs}` : undefined;
}

function entriesOf(folder: string): { readonly path: string; readonly isFolder: boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      path: join(folder, entry.name),
      isFolder: entry.isDirectory(),
    }));
  } catch {
    return []; // gone meanwhile
  }
}
