// Versions of nats-server: which one natchet needs, which one it fetches, and how to compare them.
/** The oldest nats-server that natchet works with. */
export const minimumVersion = "2.10.0";

/** The release that natchet fetches when it finds no server program. */
export const fetchedVersion = "2.15.1";

/** Finds a version in what `nats-server --version` prints or INFO says: `v2.15.1`, `2.10.27-RC.1`. */
export function parseVersion(text: string): string | undefined {
  return /(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/** Orders versions: negative when `left` is older. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const isUsableVersion = (version: string): boolean => compareVersions(version, minimumVersion) >= 0;
