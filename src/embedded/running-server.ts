// Servers that already run on this machine.
import { ServerNotRunning } from "../domain/errors.ts";
import { isUsableVersion, minimumVersion, parseVersion } from "../nats/server-version.ts";
import { Home } from "./home.ts";
import { probeServer } from "./server-watch.ts";

export const localUrl = "nats://127.0.0.1:4222";

export interface RunningServer {
  readonly url: string;
  readonly source: "local" | "embedded";
}

/** Finds a usable server that runs: on port 4222, or the embedded one of the directory, which another process has started. Fails: ServerNotRunning */
export async function findRunningServer(directory: string, local: string = localUrl): Promise<RunningServer> {
  const verdict = await judgeLocal(local);
  if (verdict === "usable") return { url: local, source: "local" };
  const embedded = await findEmbedded(directory);
  if (embedded === undefined) throw new ServerNotRunning({ directory, passedOver: reasonOf(verdict) });
  return embedded;
}

/** Why a server that answers is not used. */
export const reasonOf = (verdict: string): string | undefined => (verdict === "absent" ? undefined : verdict);

async function findEmbedded(directory: string): Promise<RunningServer | undefined> {
  const home = new Home(directory);
  const address = home.readAddress();
  if (address === undefined) return undefined;
  const info = await probeServer(address.url, embeddedTimeoutMs);
  return info?.id === address.id ? { url: home.urlOf(address.port), source: "embedded" } : undefined;
}

const embeddedTimeoutMs = 1_000;
const localTimeoutMs = 300;

/** "usable", "absent", or why the server is not used. */
export async function judgeLocal(url: string): Promise<string> {
  const info = await probeServer(url, localTimeoutMs);
  if (info === undefined) return "absent";
  const version = parseVersion(info.version);
  if (version === undefined || !isUsableVersion(version))
    return `version ${info.version} is older than ${minimumVersion}`;
  if (!info.jetstream) return "JetStream is disabled";
  if (info.authRequired) return "it requires a login";
  return info.tlsRequired ? "it requires TLS" : "usable";
}
