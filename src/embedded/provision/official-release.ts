import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { extractFile } from "./tar.ts";

export interface ReleaseOptions {
  /** Holds `v<version>/nats-server-v<version>-<os>-<arch>.tar.gz` and `v<version>/SHA256SUMS`. */
  readonly base: string;
  readonly version: string;
  /** The file to write the program to. */
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches the official release archive, compares it with its published checksum and writes the server program.
 *
 * Nothing is written before the checksum fits. An unreachable host is given up after 3 seconds.
 */
export async function fetchOfficialRelease(options: ReleaseOptions): Promise<void> {
  const { base, version, into, signal } = options;
  const folder = `${base.replace(/\/+$/, "")}/v${version}`;
  const archive = archiveName(version);
  // The small file first: it tells within the short limit whether the host can be reached at all.
  const sums = new TextDecoder().decode(await download(`${folder}/SHA256SUMS`, signal));
  const expected = findChecksum(sums, archive);
  const bytes = await download(`${folder}/${archive}`, signal);
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== expected)
    throw new Error(`${archive} has the checksum ${actual}, SHA256SUMS says ${expected}; nothing was kept`);
  await writeFile(into, extractFile(gunzipSync(bytes), "nats-server"));
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

function findChecksum(sums: string, archive: string): string {
  for (const line of sums.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === archive && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  throw new Error(`SHA256SUMS has no line for ${archive}`);
}
