// Which of its own files a program imports, so that they are watched wherever they are: a sibling in a workspace, a data file. Each runtime
// resolves its own imports; what cannot be read or resolved yet is left out until the next look.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

interface BunTools {
  readonly Transpiler: new (options: {
    readonly loader: string;
  }) => { scanImports(code: string): readonly { readonly path: string }[] };
  resolveSync(specifier: string, folder: string): string;
}
declare const Bun: BunTools | undefined;

/** These files and the modules they import, without packages and natchet. */
export async function modulesOf(files: readonly string[], denoFlags: readonly string[] = []): Promise<Set<string>> {
  const found = new Set<string>();
  if ("Deno" in globalThis) return new Set(await askDeno(files, denoFlags));
  for (const file of files) visit(typeof Bun === "undefined" ? ofNode : Bun, real(file), found);
  return found;
}

const here = import.meta.url.startsWith("file:") ? dirname(fileURLToPath(import.meta.url)) : undefined;
/** `src` and `decorators`, or what was built of them. */
const ownFolders = here === undefined ? [] : [join(here, ".."), join(here, "..", "..", "decorators")].map(real);

function isOfProject(file: string): boolean {
  if (file.includes(`${sep}node_modules${sep}`)) return false;
  return !ownFolders.some((folder) => file.startsWith(folder + sep));
}

/** Compiled for Node: relative imports of files with their extension. */
const ofNode: BunTools = {
  Transpiler: class {
    scanImports(code: string) {
      return Array.from(code.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.[^"'\n]+)["']/g), ([, path]) => ({
        path: path!,
      }));
    }
  },
  resolveSync: (specifier, folder) => join(folder, specifier),
};

const loaders: Readonly<Record<string, string>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".jsx": "jsx",
};
const scripts = /\.[cm]?[jt]sx?$/;

function visit(bun: BunTools, file: string, found: Set<string>): void {
  if (found.has(file) || !isOfProject(file)) return;
  found.add(file);
  if (!scripts.test(file)) return;
  for (const specifier of importsOf(bun, file)) {
    try {
      const target = bun.resolveSync(specifier, dirname(file));
      if (target.startsWith("/") || /^[A-Za-z]:[\\/]/.test(target)) visit(bun, real(target), found);
    } catch {
      // Not installed, or not written yet.
    }
  }
}

function importsOf(bun: BunTools, file: string): string[] {
  try {
    const transpiler = new bun.Transpiler({ loader: loaders[extname(file)] ?? "js" });
    return transpiler.scanImports(readFileSync(file, "utf8")).map(({ path }) => path);
  } catch {
    return []; // gone, or cannot be parsed just now
  }
}

interface DenoInfo {
  readonly modules?: readonly { readonly local?: string | null }[];
}

/** Deno is asked once, about a module that imports them all. */
async function askDeno(files: readonly string[], flags: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "natchet-modules-"));
  try {
    const entry = join(folder, "all.ts");
    await writeFile(entry, files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join(""));
    const imported = localFiles(await run(process.execPath, ["info", "--json", ...flags, entry]));
    return imported.filter((file) => file !== real(entry));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What it prints; nothing if it cannot be started. */
function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.once("error", () => resolve(""));
    child.once("close", () => resolve(text));
  });
}

function localFiles(text: string): string[] {
  try {
    const { modules = [] } = JSON.parse(text) as DenoInfo;
    return modules.flatMap(({ local }) =>
      local && existsSync(local) && isOfProject(real(local)) ? [real(local)] : [],
    );
  } catch {
    return []; // the file has a syntax error
  }
}

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
