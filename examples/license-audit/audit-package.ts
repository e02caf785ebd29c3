// What one run does: reads one package and judges its licence.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isPackage } from "./find-packages.ts";
import { recogniseLicences } from "./recognise.ts";
import { formatExpression, isSatisfied, parseLicenceField } from "./spdx.ts";

export type Verdict = "agrees" | "disagrees" | "no licence file" | "text not recognised" | "nothing declared";

export interface PackageReport {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** The manifest's licence as an SPDX expression; null if it declares none. */
  readonly declared: string | null;
  /** The licences whose text was found in the package's licence files. */
  readonly found: readonly string[];
  readonly directories: number;
  readonly files: number;
  readonly bytes: number;
  readonly verdict: Verdict;
}

/** Fails with a sentence that names the package if it cannot be read. */
export async function auditPackage(folder: string, path: string): Promise<PackageReport> {
  const root = join(folder, path);
  const manifest = await readManifest(root, path);
  const expression = parseLicenceField(manifest.license ?? manifest.licenses);
  const texts = await readLicenceFiles(root);
  const found = [...new Set(texts.flatMap(recogniseLicences))].sort();
  const size = await measure(root);
  return {
    path,
    name: String(manifest.name),
    version: String(manifest.version),
    declared: expression === undefined ? null : formatExpression(expression),
    found,
    ...size,
    verdict: judge(),
  };

  function judge(): Verdict {
    if (expression === undefined) return "nothing declared";
    if (texts.length === 0) return "no licence file";
    if (found.length === 0) return "text not recognised";
    return isSatisfied(expression, new Set(found)) ? "agrees" : "disagrees";
  }
}

async function readManifest(root: string, path: string): Promise<Record<string, unknown>> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  } catch (error) {
    throw new Error(`cannot read ${path}/package.json: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof manifest !== "object" || manifest === null || Array.isArray(manifest)) {
    throw new Error(`cannot read ${path}/package.json: it holds no JSON object`);
  }
  return manifest as Record<string, unknown>;
}

async function readLicenceFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const isLicenceFile = (name: string) =>
    /^(.*-)?(un)?licen[cs]e|^copying/i.test(name) && !/\.([cm]?[jt]sx?|json|map)$/i.test(name);
  const names = entries.filter((entry) => entry.isFile() && isLicenceFile(entry.name));
  return Promise.all(names.map((entry) => readFile(join(root, entry.name), "utf8")));
}

interface Size {
  readonly directories: number;
  readonly files: number;
  readonly bytes: number;
}

// Packages inside this one are runs of their own and not measured here.
async function measure(folder: string): Promise<Size> {
  const size = { directories: 1, files: 0, bytes: 0 };
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) {
      size.files += 1;
      size.bytes += (await stat(path)).size;
    } else if (entry.isDirectory() && entry.name !== "node_modules" && !(await isPackage(path))) {
      const inner = await measure(path);
      size.directories += inner.directories;
      size.files += inner.files;
      size.bytes += inner.bytes;
    }
  }
  return size;
}
