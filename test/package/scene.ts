// The package as a project gets it: packed, and installed into an empty folder outside of this repository.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "../support/child.ts";

const tools = join(root, "node_modules", ".bin");
const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The oldest that the types are promised to; the other is this repository's own. */
export const olderTypeScript = "5.9";

/** Of `npm install`: from its cache where it can be, and a network that fails for a moment fails no test. */
export const npmFlags = ["--prefer-offline", "--fetch-retries=5", "--no-audit", "--no-fund", "--no-package-lock"];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, in `cwd`; found in this repository's node_modules, then in PATH. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string | undefined>> },
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const path = `${tools}${delimiter}${process.env["PATH"] ?? ""}`;
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, PATH: path, NO_COLOR: "1", NATCHET_LOG: "error", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** As {@link run}, for a program that must succeed; its output. */
export async function output(...[command, args, options]: Parameters<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  assert.equal(code, 0, `${command} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return stdout.trim();
}

export interface Project {
  /** A folder with the package, zod and the older TypeScript in its node_modules, and the fixtures beside it. */
  readonly folder: string;
  remove(): void;
}

/** Packs and installs; the dependencies come from npm's cache where they are in it. */
export async function installed(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), "natchet-package-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const packed = join(folder, "packed");
    await output("bun", ["run", join(root, "scripts", "pack.ts"), packed], { cwd: root });
    await output("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: packed });
    rmSync(packed, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
    const packages = ["./natchet-0.2.0.tgz", `zod@${devDependencies.zod}`, `typescript@${olderTypeScript}`];
    await output("npm", ["install", ...npmFlags, ...packages], { cwd: folder });
    cpSync(join(import.meta.dirname!, "fixtures"), folder, { recursive: true });
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
