// embedded/provision/: where the program of an embedded server is fetched from, and how it is checked.
// The distribution's own nats-server, read with a private apt state: no root, nothing installed, the machine's lists untouched.
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { runProgram } from "../program.ts";
import { type AptSource, formatStanza, parseLines, parseStanzas } from "./apt-sources.ts";

export interface PackageOptions {
  /** The file to write the program to. */
  readonly into: string;
  /** Where `apt-get` and `dpkg-deb` are looked for, as in `PATH`. */
  readonly searchPath: string;
  /** Tells whether a program serves, or why not; then the next suite is asked. */
  readonly accepts: (path: string) => Promise<true | string>;
  readonly signal?: AbortSignal | undefined;
  /** The machine's apt configuration. @default "/etc/apt" */
  readonly aptDirectory?: string;
}

/**
 * Downloads the package `nats-server` from the newest suite of the machine's own mirror and unpacks its program.
 *
 * apt verifies index and package as always, with the key that the machine's source names. Proxies and credentials of the machine's apt are used.
 */
export async function fetchDebianPackage(options: PackageOptions): Promise<void> {
  for (const tool of ["apt-get", "apt-config", "dpkg", "dpkg-deb"]) {
    if (!isOnPath(tool, options.searchPath)) throw new Error(`this is not a Debian-based system (${tool} is missing)`);
  }
  const release = readOsRelease();
  const family = familyOf(release);
  const source = chooseSource(
    await readSources(options.aptDirectory ?? "/etc/apt"),
    family.component,
    release.VERSION_CODENAME,
  );
  const failures: string[] = [];
  for (const suite of family.suites) {
    const scratch = await mkdtemp(join(tmpdir(), "natchet-apt-"));
    try {
      const program = await unpackFrom(suite, source, family.component, scratch, options.signal);
      const verdict = await options.accepts(program);
      if (verdict === true) return await copyFile(program, options.into);
      failures.push(`${suite}: nats-server ${verdict}`);
    } catch (error) {
      failures.push(`${suite}: ${error instanceof Error ? error.message : error}`);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    if (options.signal?.aborted) break;
  }
  throw new Error(failures.join("; "));
}

interface Family {
  /** Newest first. */
  readonly suites: readonly string[];
  readonly component: string;
}

function familyOf(osRelease: Readonly<Record<string, string>>): Family {
  const names = `${osRelease.ID ?? ""} ${osRelease.ID_LIKE ?? ""}`.split(" ");
  if (names.includes("ubuntu")) return { suites: ["devel", "noble"], component: "universe" };
  return { suites: ["sid", "testing", "trixie"], component: "main" };
}

function readOsRelease(): Record<string, string> {
  if (!existsSync("/etc/os-release")) return {};
  const lines = readFileSync("/etc/os-release", "utf8").matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm);
  return Object.fromEntries([...lines].map((line) => [line[1]!, line[2]!]));
}

async function readSources(directory: string): Promise<AptSource[]> {
  const parts = await readdir(join(directory, "sources.list.d")).catch(() => []);
  const files = [join(directory, "sources.list"), ...parts.map((name) => join(directory, "sources.list.d", name))];
  const read = async (file: string) => {
    const text = await readFile(file, "utf8").catch(() => "");
    if (file.endsWith(".sources")) return parseStanzas(text);
    return file.endsWith(".list") ? parseLines(text) : [];
  };
  return (await Promise.all(files.map(read))).flat();
}

// The distribution's own archive, not its security archive or a vendor's: those hold no other suites. A mirror may have any path, so the suite decides then.
function chooseSource(sources: readonly AptSource[], component: string, codename: string | undefined): AptSource {
  const hasComponent = (source: AptSource) => source.components.some((name) => name === component || name === "main");
  const isBase = (source: AptSource) =>
    source.suites.some((suite) => /^[a-z]+$/.test(suite)) &&
    source.uris.some((uri) => /\/(debian|ubuntu|ubuntu-ports)\/?$|\/archive\/debian\//.test(uri));
  const isCurrent = (source: AptSource) => codename !== undefined && source.suites.includes(codename);
  const candidates = sources.filter(hasComponent);
  const found = candidates.find(isBase) ?? candidates.find(isCurrent);
  if (found === undefined) throw new Error("no source of the distribution's own packages is configured in apt");
  return found;
}

async function unpackFrom(
  suite: string,
  source: AptSource,
  component: string,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const run = async (command: string, args: string[], what: string) => {
    const env = { APT_CONFIG: join(scratch, "apt.conf"), LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
    const result = await runProgram(command, args, { timeoutMs: 120_000, cwd: scratch, env, signal });
    if (result.code !== 0) throw new Error(`${what} failed (${firstError(result.stderr)})`);
    return result.stdout;
  };
  const architecture = (await run("dpkg", ["--print-architecture"], "dpkg")).trim();
  const stanza = formatStanza({ uri: source.uris[0]!, suite, component, signedBy: source.signedBy, architecture });
  await writeFile(join(scratch, "natchet.sources"), stanza);
  await writePrivateConfiguration(scratch, signal);
  await run("apt-get", ["update", "-qq", "-o", "APT::Update::Error-Mode=any"], "reading the package lists");
  await run("apt-get", ["download", "-qq", "nats-server"], "downloading the package");
  const archive = (await readdir(scratch)).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("apt-get downloaded no package");
  await run("dpkg-deb", ["-x", archive, "unpacked"], "unpacking");
  const candidates = ["usr/sbin", "usr/bin"].map((folder) => join(scratch, "unpacked", folder, "nats-server"));
  const program = candidates.find(existsSync);
  if (program === undefined) throw new Error("the package does not contain nats-server");
  return program;
}

// apt reads this file instead of /etc/apt/apt.conf.d, whose hooks would touch the machine's own state; how to reach the mirror (`Acquire`) is taken over.
async function writePrivateConfiguration(scratch: string, signal: AbortSignal | undefined): Promise<void> {
  const folders = ["state/lists/partial", "cache/archives/partial", "log"];
  await Promise.all(folders.map((folder) => mkdir(join(scratch, folder), { recursive: true })));
  const dump = await runProgram("apt-config", ["dump", "Acquire"], { timeoutMs: 10_000, signal });
  const acquire = dump.stdout
    .split("\n")
    .filter(
      (line) => /^Acquire::[^ ]+ "[^"]*";$/.test(line) && !/^Acquire::(IndexTargets|Languages|GzipIndexes)/.test(line),
    );
  const lines = [
    ...acquire,
    'Acquire::Languages "none";',
    'Acquire::Retries "1";',
    `Dir::Etc::main "/dev/null";`,
    `Dir::Etc::parts "/dev/null";`,
    `Dir::Etc::sourcelist "${scratch}/natchet.sources";`,
    `Dir::Etc::sourceparts "/dev/null";`,
    `Dir::Etc::preferences "/dev/null";`,
    `Dir::Etc::preferencesparts "/dev/null";`,
    `Dir::State "${scratch}/state";`,
    `Dir::Cache "${scratch}/cache";`,
    `Dir::Log "${scratch}/log";`,
  ];
  // As root apt would hand the download to the user _apt, who may not write into a private folder.
  if (process.getuid?.() === 0) lines.push('APT::Sandbox::User "root";');
  await writeFile(join(scratch, "apt.conf"), `${lines.join("\n")}\n`);
}

function firstError(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return (lines.find((line) => line.startsWith("E:")) ?? lines.at(-1) ?? "").slice(0, 200);
}

function isOnPath(tool: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, tool), constants.X_OK);
      return directory !== "";
    } catch {
      return false;
    }
  });
}
