// The official release of nats-server: where its archive is, and the check of its sum.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { sumOfArchive } from "./release-sums.ts";
import { extractFile } from "./tar.ts";

export interface ReleaseOptions {
  /** Holds `v<version>/nats-server-v<version>-<os>-<arch>.tar.gz` and `v<version>/SHA256SUMS`. */
  readonly base: string;
  readonly version: string;
  /** What the archive's SHA-256 must be; without it, what natchet knows or the release host publishes. */
  readonly sum?: string | undefined;
  /** The file to write the program to. */
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches the official release archive, compares it with its checksum and writes the server program.
 *
 * Nothing is written before the checksum fits. An unreachable host is given up after 3 seconds. Returns who said what the checksum must be.
 */
export async function fetchOfficialRelease(options: ReleaseOptions): Promise<string> {
  const { base, version, sum: given, into, signal } = options;
  const folder = `${base.replace(/\/+$/, "")}/v${version}`;
  const archive = archiveName(version);
  const published = async () => new TextDecoder().decode(await download(`${folder}/SHA256SUMS`, signal));
  const { sum, by } = await sumOfArchive({ archive, base, given, published });
  const bytes = await download(`${folder}/${archive}`, signal);
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sum)
    throw new Error(`${archive} has the checksum ${actual}, and must have ${sum} according to ${by}; nothing was kept`);
  const { gunzipSync } = await import("node:zlib"); // hardly any process fetches a server
  await writeFile(into, extractFile(gunzipSync(bytes), "nats-server"));
  return by;
}

/** The archive of this machine, for example `nats-server-v2.15.1-linux-amd64.tar.gz`. */
export function archiveName(version: string, platform: string = process.platform, arch: string = process.arch): string {
  const os = { linux: "linux", darwin: "darwin", freebsd: "freebsd" }[platform];
  const cpu = { x64: "amd64", arm64: "arm64", arm: "arm7", ia32: "386", s390x: "s390x", ppc64: "ppc64le" }[arch];
  if (os === undefined || cpu === undefined) throw new Error(`there is no release archive for ${platform} on ${arch}`);
  return `nats-server-v${version}-${os}-${cpu}.tar.gz`;
}

const answerTimeoutMs = 3_000;
const stallTimeoutMs = 20_000;

async function download(url: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const giveUp = new AbortController();
  const abort = (reason: string) => giveUp.abort(new Error(reason));
  const onAbort = () => abort("interrupted");
  signal?.addEventListener("abort", onAbort, { once: true });
  let timer = setTimeout(abort, answerTimeoutMs, `no answer within ${answerTimeoutMs / 1000} s`);
  try {
    const response = await fetch(url, { signal: giveUp.signal });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    if (url.startsWith("https:") && response.url.startsWith("http:")) throw new Error("redirected to plain http");
    const chunks: Uint8Array[] = [];
    const reader = response.body!.getReader();
    for (;;) {
      clearTimeout(timer);
      timer = setTimeout(abort, stallTimeoutMs, `nothing came for ${stallTimeoutMs / 1000} s`);
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks);
      chunks.push(value);
    }
  } catch (error) {
    const reason = giveUp.signal.aborted ? giveUp.signal.reason : error;
    throw new Error(`${url} could not be fetched: ${describe(reason)}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

// Deno says "fetch failed" and keeps what happened in the cause.
function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return reason.cause instanceof Error ? `${reason.message} (${reason.cause.message})` : reason.message;
}
