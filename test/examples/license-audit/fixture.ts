// Writes a node_modules folder with packages of known licences, some of them broken.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const mit =
  "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files. " +
  "The above copyright notice and this permission notice shall be included in all copies.";
const isc =
  "Permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, " +
  "provided that the above copyright notice appears.";

export interface FixtureFolder extends AsyncDisposable {
  readonly modules: string;
  /** A folder of its own for what natchet keeps. */
  readonly home: string;
}

/** `count` sound packages (two thirds MIT, one third ISC), one nested package, one that disagrees, one without licence and one unreadable. */
export async function writeModules(count: number): Promise<FixtureFolder> {
  const root = await mkdtemp(join(tmpdir(), "natchet-audit-"));
  const modules = join(root, "node_modules");
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(modules, path)), { recursive: true });
    await writeFile(join(modules, path), text);
  };
  const writePackage = async (path: string, license: string | undefined, text: string | undefined) => {
    await write(`${path}/package.json`, JSON.stringify({ name: path, version: "1.0.0", license }));
    if (text !== undefined) await write(`${path}/LICENSE`, text);
    await write(`${path}/lib/main.js`, "export {};\n");
  };
  for (let n = 0; n < count; n += 1) {
    const name = `package-${String(n).padStart(3, "0")}`;
    await (n % 3 === 0 ? writePackage(name, "ISC", isc) : writePackage(name, "MIT", mit));
  }
  await writePackage("@scope/outer", "MIT", mit);
  await writePackage("@scope/outer/node_modules/inner", "MIT", mit);
  await writePackage("two-faced", "Apache-2.0", mit);
  await writePackage("silent", undefined, undefined);
  await write("broken/package.json", '{ "name": "broken", ');
  return { modules, home: root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
