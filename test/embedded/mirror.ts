// A local imitation of the place where official releases are published.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { archiveName } from "../../src/embedded/provision/official-release.ts";
import { fetchedVersion } from "../../src/nats/server-version.ts";

export interface Mirror {
  readonly url: string;
  /** SHA-256 of the archive. */
  readonly sum: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** Serves a release whose archive holds the program; `breakIt` changes what is served, after the checksum was made. */
export async function startMirror(
  program: Uint8Array,
  breakIt: (archive: Uint8Array) => Uint8Array = (archive) => archive,
): Promise<Mirror> {
  const name = archiveName(fetchedVersion);
  const archive = gzipSync(
    makeTar(name.replace(".tar.gz", ""), { "README.md": new TextEncoder().encode("read me"), "nats-server": program }),
  );
  const sum = createHash("sha256").update(archive).digest("hex");
  const served = new Map<string, Uint8Array>([
    [`/v${fetchedVersion}/SHA256SUMS`, new TextEncoder().encode(`${"0".repeat(64)}  other.tar.gz\n${sum}  ${name}\n`)],
    [`/v${fetchedVersion}/${name}`, breakIt(archive)],
  ]);
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!);
    const body = served.get(request.url!);
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sum, requests, stop };
}

function makeTar(folder: string, files: Record<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(`${folder}/${name}`, 0);
    header.write("0000755\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("0", 156);
    header.write("ustar\0", 257);
    parts.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1_024)]);
}
