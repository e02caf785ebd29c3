// A nats-server of the benchmark's own, on a fresh store on disk.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serverEnvironment } from "../../src/embedded/server-environment.ts";
import { temporaryFolder } from "../cleanup.ts";
import { Server } from "./server.ts";

export interface NatsServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** `syncInterval` is how long a write may be in the page cache only; "always" is fsync before the acknowledgement. */
export async function startNats(binary: string, syncInterval: string): Promise<NatsServer> {
  const folder = await temporaryFolder();
  const config = join(folder.path, "nats.conf");
  await writeFile(
    config,
    `host: 127.0.0.1
port: -1
ports_file_dir: "${folder.path}"
jetstream { store_dir: "${join(folder.path, "store")}", sync_interval: ${syncInterval} }
`,
  );
  const server = new Server({
    command: binary,
    args: ["-c", config],
    env: serverEnvironment(),
    logFile: join(folder.path, "server.log"),
  });
  const url = await server.whenReady(() => readPort(folder.path));
  return {
    url,
    pid: server.pid,
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}

// The server writes the file right after it is ready, not in one step: half a file fails to parse and is read again.
async function readPort(folder: string): Promise<string | undefined> {
  const name = (await readdir(folder)).find((each) => each.endsWith(".ports"));
  if (name === undefined) return undefined;
  return (JSON.parse(await readFile(join(folder, name), "utf8")) as { nats: string[] }).nats[0];
}
