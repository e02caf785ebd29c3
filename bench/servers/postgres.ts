// A PostgreSQL of the benchmark's own, in a folder of its own. PostgreSQL refuses root, so root runs it as another user.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../cleanup.ts";
import { exists, fetchPackages, findProgram } from "./apt.ts";
import { freePort, Server } from "./server.ts";

const run = promisify(execFile);

export interface PostgresProgram {
  /** The folder of `initdb` and `postgres`. */
  readonly bin: string;
  readonly env: Record<string, string>;
  readonly version: string;
  /** What to put before a command. */
  readonly as: readonly string[];
  readonly user: string | undefined;
}

export async function findPostgres(): Promise<PostgresProgram> {
  const user = process.getuid?.() === 0 ? await firstUser(["postgres", "nobody"]) : undefined;
  const as =
    user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${await groupOf(user)}`, "--clear-groups"];
  const found = await findInstalled();
  const { bin, env } = found === undefined ? await fetch() : { bin: found, env: {} };
  const { stdout } = await run(join(bin, "postgres"), ["--version"], { env: { ...process.env, ...env } });
  return { bin, env, version: /\d+(\.\d+)?/.exec(stdout)?.[0] ?? "of an unknown version", as, user };
}

async function findInstalled(): Promise<string | undefined> {
  const initdb = await findProgram("initdb", await versionsIn("/usr/lib/postgresql"));
  return initdb?.slice(0, -"/initdb".length);
}

async function fetch() {
  const { stdout } = await run("apt-cache", ["depends", "postgresql"]);
  const server = /Depends: (postgresql-\d+)/.exec(stdout)?.[1];
  if (server === undefined) throw new Error("the distribution has no package postgresql");
  const { root, libraries } = await fetchPackages("postgres", [server]);
  const bin = (await versionsIn(join(root, "usr/lib/postgresql")))[0]!;
  return { bin, env: { LD_LIBRARY_PATH: libraries } };
}

/** The newest version first. */
async function versionsIn(folder: string): Promise<string[]> {
  if (!(await exists(folder))) return [];
  const versions = (await readdir(folder)).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(folder, version, "bin"));
}

async function firstUser(names: readonly string[]): Promise<string> {
  for (const name of names)
    if (
      await run("id", [name]).then(
        () => true,
        () => false,
      )
    )
      return name;
  throw new Error(`PostgreSQL refuses root, and there is none of the users ${names.join(", ")}`);
}

async function groupOf(user: string): Promise<string> {
  return (await run("id", ["-g", user])).stdout.trim();
}

/** `syncs`: a commit waits until it is on the disk. */
export async function startPostgres(
  program: PostgresProgram,
  syncs: boolean,
): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const folder = await temporaryFolder();
  if (program.user !== undefined) await run("chown", [program.user, folder.path]);
  const port = await freePort();
  const data = join(folder.path, "data");
  const env = { ...process.env, ...program.env };
  const command = (name: string, args: readonly string[]) => [...program.as, join(program.bin, name), ...args];
  const [first = "", ...rest] = command("initdb", [
    ...["-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
  ]);
  await run(first, rest, { env, cwd: folder.path });
  const [executable = "", ...args] = command("postgres", [
    ...["-D", data, "-p", String(port), "-k", folder.path],
    ...[
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "max_connections=500",
      "-c",
      `synchronous_commit=${syncs ? "on" : "off"}`,
    ],
  ]);
  const server = new Server({
    command: executable,
    args,
    env: program.env,
    logFile: join(folder.path, "server.log"),
    stopSignal: "SIGQUIT",
  });
  await server.whenReady(async () => {
    const log = await readFile(join(folder.path, "server.log"), "utf8");
    return log.includes("ready to accept connections") ? true : undefined;
  });
  return {
    url: `postgres://bench@127.0.0.1:${port}/postgres`,
    pid: server.pid,
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}
