// The lock of a directory on systems without flock(1), such as macOS: files lock.00000001, lock.00000002, … Each is created exclusively, and
// names the process of a wrapper and then that of its server. The file with the highest number is the lock. It is free when its holder is
// dead, and is taken over by creating the next number. The highest file is never removed, so no number can be created twice, and no two
// processes believe that they own the directory.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Home } from "./home.ts";

/** The file that a new holder has to create, or undefined while the present holder lives. */
export function nextNumberedLock(home: Home): string | undefined {
  const highest = numberedLocks(home).at(-1);
  if (highest === undefined) return `${home.lock}.00000001`;
  if (isHeld(highest, home) || isServerAlive(home)) return undefined;
  return `${home.lock}.${String(Number(highest.slice(-8)) + 1).padStart(8, "0")}`;
}

/** Removes the files of earlier holders; only the holder of `own` may call it. */
export function removeOlderLocks(home: Home, own: string): void {
  for (const file of numberedLocks(home)) if (file < own) rmSync(file, { force: true });
}

function numberedLocks(home: Home): string[] {
  const pattern = new RegExp(`^${basename(home.lock)}\\.\\d{8}$`);
  const names = readdirSync(dirname(home.lock)).filter((name) => pattern.test(name));
  return names.sort().map((name) => join(dirname(home.lock), name));
}

function isHeld(file: string, home: Home): boolean {
  try {
    const [wrapper, server] = readFileSync(file, "utf8")
      .split("\n")
      .map((line) => Number.parseInt(line, 10));
    // A file that was just created is empty for a moment.
    if (!wrapper) return Date.now() - statSync(file).mtimeMs < 2_000;
    return isProcessWith(wrapper, file) || (!!server && isProcessWith(server, home.log));
  } catch {
    return false;
  }
}

// If only the wrapper was killed, its server may be alive until the owner ends.
function isServerAlive(home: Home): boolean {
  const address = home.readAddress();
  return address !== undefined && isProcessWith(address.pid, home.log);
}

/** Whether the process lives and has `text` on its command line: process ids are used again, above all after a reboot. */
function isProcessWith(pid: number, text: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const { status, stdout } = spawnSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  return status !== 0 || stdout.includes(text);
}
