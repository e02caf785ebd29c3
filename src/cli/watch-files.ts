// Tells when source files below a folder change.
import { type FSWatcher, readdirSync, watch } from "node:fs";
import { join } from "node:path";

const isSource = (path: string) => /\.([cm]?[jt]sx?|json)$/.test(path);
const isForeign = (path: string) => path.split(/[\\/]/).some((part) => part === "node_modules" || part.startsWith("."));

/**
 * Calls `onChange` once for all changes that come within `quietMs` of one another.
 *
 * Folders named `node_modules` and hidden ones are left out: they hold thousands of files that nobody edits.
 *
 * @default quietMs 150
 */
export function watchFiles(folder: string, onChange: (path: string) => void, quietMs = 150): { close(): void } {
  const watchers = new Map<string, FSWatcher>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = (path: string) => {
    if (!isSource(path) || isForeign(path)) return;
    clearTimeout(timer);
    timer = setTimeout(() => onChange(path), quietMs);
  };
  const watchFolder = (name: string) => {
    if (isForeign(name) || watchers.has(name)) return;
    watchers.set(
      name,
      watch(join(folder, name), { recursive: true }, (_, file) => changed(join(name, String(file)))),
    );
  };
  // The folder itself is watched flat and each folder in it deep, so that node_modules costs nothing.
  const watchNewFolders = () => foldersIn(folder).forEach(watchFolder);
  const top = watch(folder, (_, file) => {
    watchNewFolders();
    changed(String(file));
  });
  watchNewFolders();
  return {
    close() {
      clearTimeout(timer);
      top.close();
      for (const each of watchers.values()) each.close();
    },
  };
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
