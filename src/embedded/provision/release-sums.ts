// What an archive of nats-server must be. The archive and a list of sums from the same place vouch for each other, so a sum comes from somewhere
// else wherever it can.

/** Where nats-server is released. */
export const officialReleases = "https://github.com/nats-io/nats-server/releases/download";

/**
 * SHA-256 of release archives, by name: for the version that natchet fetches, as nats-io publishes it. An archive that is not listed here comes
 * from the release host alone, or with a sum that the user names.
 */
const pinnedSums: Readonly<Record<string, string>> = {};

export interface SumSource {
  readonly archive: string;
  /** Holds `v<version>/SHA256SUMS`. */
  readonly base: string;
  /** Given by the user: `NATCHET_NATS_CHECKSUM`. */
  readonly given?: string | undefined;
  /** Reads the published list. */
  readonly published: () => Promise<string>;
  /** @default {@link pinnedSums} */
  readonly pinned?: Readonly<Record<string, string>>;
}

/** The sum that the archive has to have, and who says so. Fails: Error where nobody does who can be believed */
export async function sumOfArchive(source: SumSource): Promise<{ readonly sum: string; readonly by: string }> {
  const { archive, base, given, published, pinned = pinnedSums } = source;
  if (given !== undefined) return { sum: validSum(given), by: "NATCHET_NATS_CHECKSUM" };
  if (Object.hasOwn(pinned, archive)) return { sum: pinned[archive]!, by: "natchet" };
  if (base.replace(/\/+$/, "") !== officialReleases)
    throw new Error(
      `natchet does not know the checksum of ${archive}, and a mirror cannot vouch for itself; set NATCHET_NATS_CHECKSUM to its SHA-256, as ${officialReleases} publishes it`,
    );
  return { sum: findSum(await published(), archive), by: "the SHA256SUMS of the release host" };
}

function validSum(given: string): string {
  const sum = given.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(sum)) return sum;
  throw new Error(`NATCHET_NATS_CHECKSUM: "${given}" is not a SHA-256; it has 64 hexadecimal digits`);
}

function findSum(sums: string, archive: string): string {
  for (const line of sums.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === archive && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  throw new Error(`SHA256SUMS has no line for ${archive}`);
}
