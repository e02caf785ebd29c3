// A registry that knows the packed natchet and passes on every other question to npm's: what `npm:natchet` finds once it is published.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export interface Registry {
  readonly url: string;
  close(): void;
}

const upstream = (process.env["npm_config_registry"] ?? "https://registry.npmjs.org").replace(/\/$/, "");

/** A network that fails for a moment fails no test. */
async function upstreamAnswer(
  path: string,
  accept: string,
  triesLeft = 4,
): Promise<{ status: number; body: Uint8Array }> {
  try {
    const response = await fetch(upstream + path, { headers: { accept }, signal: AbortSignal.timeout(20_000) });
    const body = new Uint8Array(await response.arrayBuffer());
    if (response.status < 500 || triesLeft === 0) return { status: response.status, body };
  } catch (error) {
    if (triesLeft === 0) throw error;
  }
  await setTimeout(500);
  return upstreamAnswer(path, accept, triesLeft - 1);
}

/** `folder` holds the tarball and the installed package. */
export async function startRegistry(folder: string): Promise<Registry> {
  const tarball = readFileSync(join(folder, "natchet-0.2.0.tgz"));
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules/natchet/package.json"), "utf8"));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  let url = "";
  const packument = () => {
    const dist = { tarball: `${url}/natchet.tgz`, integrity };
    return { name: "natchet", "dist-tags": { latest: "0.2.0" }, versions: { "0.2.0": { ...manifest, dist } } };
  };
  const answer = async (path: string, accept: string): Promise<{ status: number; body: Uint8Array | string }> => {
    if (path === "/natchet") return { status: 200, body: JSON.stringify(packument()) };
    if (path === "/natchet.tgz") return { status: 200, body: tarball };
    return upstreamAnswer(path, accept);
  };
  const server = createServer((request, response) => {
    answer(request.url!, request.headers.accept ?? "*/*").then(
      ({ status, body }) => response.writeHead(status).end(body),
      (error) => response.writeHead(502).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}
