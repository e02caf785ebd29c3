// Adds up the reports of all packages. The order of the reports does not matter: the same packages give the same totals.
import type { PackageReport } from "./audit-package.ts";

export interface LicenceRow {
  readonly licence: string;
  readonly packages: number;
  readonly files: number;
  readonly bytes: number;
}

export interface Unreadable {
  readonly path: string;
  readonly error: string;
}

export interface Totals {
  readonly packages: number;
  readonly directories: number;
  readonly files: number;
  readonly bytes: number;
  /** By the licence found in the files, or else the declared one; the largest group first. */
  readonly licences: readonly LicenceRow[];
  readonly disagreements: readonly PackageReport[];
  /** Packages that declare no licence, or do not ship its text. */
  readonly incomplete: readonly PackageReport[];
  readonly unreadable: readonly Unreadable[];
}

export function addUp(reports: readonly PackageReport[], unreadable: readonly Unreadable[]): Totals {
  const sorted = [...reports].sort(byPath);
  const sum = (of: readonly PackageReport[], field: "directories" | "files" | "bytes") =>
    of.reduce((total, report) => total + report[field], 0);
  const licences = [...Map.groupBy(sorted, licenceOf)].map(([licence, group]) => ({
    licence,
    packages: group.length,
    files: sum(group, "files"),
    bytes: sum(group, "bytes"),
  }));
  return {
    packages: sorted.length,
    directories: sum(sorted, "directories"),
    files: sum(sorted, "files"),
    bytes: sum(sorted, "bytes"),
    licences: licences.sort((a, b) => b.packages - a.packages || (a.licence < b.licence ? -1 : 1)),
    disagreements: sorted.filter((report) => report.verdict === "disagrees"),
    incomplete: sorted.filter((report) => report.verdict !== "disagrees" && report.verdict !== "agrees"),
    unreadable: [...unreadable].sort(byPath),
  };
}

function licenceOf(report: PackageReport): string {
  return report.found.length > 0 ? report.found.join(" + ") : (report.declared ?? "none");
}

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
