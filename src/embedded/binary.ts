// Where the nats-server program comes from; the first usable one wins, and only the last step touches the network.

import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { ServerBinaryNotFound } from "../domain/errors.ts";
import { fetchedVersion, isUsableVersion, minimumVersion, parseVersion } from "../nats/server-version.ts";
import { readEnvironment } from "../runtime/environment.ts";
import { writeLine } from "../runtime/write-line.ts";
import { BinaryCache } from "./binary-cache.ts";
import { runProgram } from "./program.ts";
import { fetchDebianPackage } from "./provision/debian-package.ts";
import { fetchOfficialRelease } from "./provision/official-release.ts";
import { officialReleases } from "./provision/release-sums.ts";

/** A nats-server program that can be started, and where it was found. */
export interface ServerBinary {
  readonly path: string;
  readonly version: string;
  readonly source: "environment" | "path" | "cache" | "release" | "debian";
}

export interface FindOptions {
  /** Variables to read instead of the process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Receives the one line that says that something is fetched. @default standard error */
  readonly announce?: (line: string) => void;
}

/**
 * Finds a nats-server program of version 2.10 or newer, and fetches one into natchet's cache when there is none.
 *
 * Order: `NATCHET_NATS_SERVER`, `PATH`, the cache (`$XDG_CACHE_HOME` or `~/.cache`, then `natchet/nats-server/<version>/`), the official release
 * (from `NATCHET_NATS_RELEASES` when that is set), on a Debian family machine the distribution's own package.
 *
 * Fails: {@link ServerBinaryNotFound} with every place that was tried and why it did not serve
 */
export async function findServerBinary(options: FindOptions = {}, signal?: AbortSignal): Promise<ServerBinary> {
  const env = options.environment ?? readEnvironment(variables);
  const given = env.NATCHET_NATS_SERVER;
  if (given !== undefined) return await inspectGiven(given);
  const tried: string[] = [];
  const installed = await findOnPath(env.PATH ?? "", tried);
  if (installed !== undefined) return installed;
  const cache = BinaryCache.of(env);
  const cached = await cache.newest(inspectBinary);
  if (cached !== undefined) return { ...cached, source: "cache" };
  return await fetchBinary(cache, env, options.announce ?? writeLine, tried, signal);
}

const variables = [
  "NATCHET_NATS_SERVER",
  "NATCHET_NATS_RELEASES",
  "NATCHET_NATS_CHECKSUM",
  "PATH",
  "XDG_CACHE_HOME",
  "HOME",
];

// A path that the user named is never silently replaced by another program.
async function inspectGiven(path: string): Promise<ServerBinary> {
  const found = await inspectBinary(path);
  if (typeof found === "object") return { ...found, source: "environment" };
  throw new ServerBinaryNotFound({ tried: [`NATCHET_NATS_SERVER names ${path}, which ${found}`] });
}

async function findOnPath(searchPath: string, tried: string[]): Promise<ServerBinary | undefined> {
  const candidates = searchPath.split(delimiter).filter(isAbsolute);
  for (const candidate of candidates.map((directory) => join(directory, "nats-server"))) {
    if (!existsSync(candidate)) continue;
    const found = await inspectBinary(candidate);
    if (typeof found === "object") return { ...found, source: "path" };
    tried.push(`${candidate} on PATH ${found}`);
  }
  if (tried.length === 0) tried.push("there is none on PATH");
  return undefined;
}

/** The program's version if it runs and is new enough, otherwise the end of a sentence that says why not. */
async function inspectBinary(path: string): Promise<{ path: string; version: string } | string> {
  const { code, stdout, stderr } = await runProgram(path, ["--version"], { timeoutMs: 10_000 });
  const version = parseVersion(stdout + stderr);
  if (code !== 0 || version === undefined) return `does not run here (${lastLine(stderr) || `exit code ${code}`})`;
  return isUsableVersion(version) ? { path, version } : `is version ${version}, older than ${minimumVersion}`;
}

async function fetchBinary(
  cache: BinaryCache,
  env: Readonly<Record<string, string>>,
  announce: (line: string) => void,
  tried: string[],
  signal: AbortSignal | undefined,
): Promise<ServerBinary> {
  announce(`natchet: no nats-server found, fetching one into ${cache.root} (once)`);
  const base = env.NATCHET_NATS_RELEASES ?? officialReleases;
  const ways = [
    {
      source: "release" as const,
      fetch: async (into: string) => {
        const sum = env.NATCHET_NATS_CHECKSUM;
        const by = await fetchOfficialRelease({ base, version: fetchedVersion, sum, into, signal });
        announce(`natchet: its checksum is the one of ${by}`);
      },
    },
    {
      source: "debian" as const,
      fetch: (into: string) => fetchDebianPackage({ into, searchPath: env.PATH ?? "", accepts, signal }),
    },
  ];
  for (const { source, fetch } of ways) {
    try {
      const found = await cache.add(fetch, inspectBinary);
      return { ...found, source };
    } catch (error) {
      tried.push(
        `${source === "release" ? `the official release at ${base}` : "the distribution's package"}: ${reasonOf(error)}`,
      );
    }
  }
  throw new ServerBinaryNotFound({ tried });
}

const accepts = async (path: string): Promise<true | string> => {
  const found = await inspectBinary(path);
  return typeof found === "object" ? true : found;
};
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
