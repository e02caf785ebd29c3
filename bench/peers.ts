// The packages of the peers: in a folder of their own with exact versions, installed when they are first asked for.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { exists } from "./servers/apt.ts";

const folder = new URL("./peers/", import.meta.url).pathname;

export async function installPeers(): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(`${folder}package.json`, "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const [name, version] of Object.entries(dependencies)) {
    if ((await exists(peerFile(name))) && (await peerVersion(name)) === version) continue;
    console.error("installing the packages of the peers into bench/peers/node_modules");
    await promisify(execFile)(process.execPath, ["install", "--frozen-lockfile"], { cwd: folder });
    return;
  }
}

/** The path of the adapter with this name. */
export function peerAdapter(name: string): string {
  return `${folder}${name}.ts`;
}

export function peerFile(path: string): string {
  return `${folder}node_modules/${path}`;
}

export async function peerVersion(name: string): Promise<string> {
  return (JSON.parse(await readFile(peerFile(`${name}/package.json`), "utf8")) as { version: string }).version;
}
