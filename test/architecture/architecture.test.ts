// The layers and the rules of the source, as docs/internals/internals.md describes them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../support/child.ts";
import { test } from "../support/harness.ts";
import { code, cycles, type Import, innerOf, partOf, readSources, type SourceFile } from "./source.ts";

const product = readSources("src", "decorators");
const everything = [...product, ...readSources("test", "examples", "bench", "scripts")];

/** The rooms that `scheduler` puts together: pure, as it is. */
const rooms = ["fold", "matching", "presence", "housekeeping", "reactions"];

/** What each part may import beside itself. `worker`, `engine` and `client` meet in `wire` and `nats`, never one another. */
const mayImport: Record<string, readonly string[]> = {
  collections: [],
  domain: ["collections"],
  wire: ["collections", "domain"],
  sealing: ["domain", "wire"],
  fold: ["collections", "domain", "wire"],
  matching: ["collections", "domain", "wire", "fold"],
  presence: ["domain", "wire", "fold", "matching"],
  housekeeping: ["domain", "collections", "wire", "fold", "matching"],
  reactions: ["collections", "domain", "fold", "matching"],
  scheduler: ["collections", "domain", "wire", ...rooms],
  runtime: ["domain"],
  decorators: ["domain"],
  nats: ["collections", "domain", "wire", "runtime"],
  embedded: ["domain", "nats", "runtime"],
  leader: ["domain", "wire", "nats", "runtime", "scheduler", "matching", "presence", "reactions"],
  requests: ["collections", "domain", "wire", "nats", "runtime", "scheduler", "leader", ...rooms],
  engine: ["collections", "domain", "wire", "nats", "runtime", "scheduler", "leader", "requests", ...rooms],
  worker: ["collections", "domain", "wire", "sealing", "nats", "runtime"],
  client: ["collections", "domain", "wire", "sealing", "nats", "runtime"],
  health: ["domain", "wire", "nats", "runtime", "engine", "worker"],
  "discovery.ts": ["decorators", "domain"],
  facade: [
    ...["domain", "wire", "sealing", "nats", "embedded", "runtime", "engine", "worker", "client"],
    ...["health", "decorators", "discovery.ts"],
  ],
  testing: [
    ...["domain", "wire", "sealing", "nats", "embedded", "runtime", "worker", "client"],
    ...["scheduler", ...rooms, "requests", "decorators", "facade", "mod.ts"],
  ],
  "client.ts": ["domain", "wire", "client", "facade"],
  "mod.ts": ["domain", "client.ts", "worker", "decorators", "facade"],
  cli: ["domain", "runtime", "facade", "mod.ts", "client.ts", "discovery.ts"],
};

/** What rooms within rooms may import of the room around them: each other, or all of it. */
const mayImportWithin: Record<string, readonly string[]> = {
  "matching/limits": ["matching", "matching/suspects", "matching/unseen"],
  "matching/durable": ["matching", "matching/unseen"],
  "matching/suspects": ["matching", "matching/limits"],
  "matching/unseen": ["matching"],
  "matching/waiting": ["matching", "matching/durable", "matching/suspects", "matching/unseen"],
  "embedded/provision": ["embedded"],
  "client/asking": [],
  "client/results": ["client/asking"],
  "client/reading": ["client/asking", "client/results"],
  "worker/transcripts": ["worker"],
  "worker/threads": ["worker", "worker/transcripts"],
  "worker/heart": ["worker", "worker/presence"],
  "worker/presence": ["worker"],
  "worker/durable": ["worker", "worker/transcripts"],
};

/** Fails with all offenders at once, so that one run shows everything that is to do. */
function expectNone(files: readonly SourceFile[], offence: (file: SourceFile) => readonly string[]): void {
  assert.deepEqual(
    files.flatMap((file) => offence(file).map((what) => `${file.path}: ${what}`)),
    [],
  );
}

test("there is source to check", () => {
  assert.ok(product.length > 20, `${product.length} files`);
  assert.ok(product.some((file) => file.imports.some((one) => one.file !== undefined)));
});

test("imports go in one direction", () => {
  expectNone(product, ({ path, imports }) => {
    const part = partOf(path);
    const allowed = mayImport[part];
    if (allowed === undefined) return [`"${part}" is no known part; say in this test what it may import`];
    return imports
      .filter(({ file }) => file !== undefined && partOf(file) !== part && !allowed.includes(partOf(file)))
      .map(({ specifier }) => `${part} must not import ${specifier}`);
  });
});

test("rooms within rooms import what they may of the room around them", () => {
  expectNone(product, ({ path, imports }) => {
    const inner = innerOf(path);
    const allowed = mayImportWithin[inner];
    return imports
      .filter(({ file }) => allowed !== undefined && file !== undefined && partOf(file) === partOf(path))
      .filter(({ file }) => innerOf(file!) !== inner && !allowed!.includes(innerOf(file!)))
      .map(({ specifier }) => `${inner} must not import ${specifier}`);
  });
});

test("the table of rooms says what each may import", () => {
  const page = readFileSync(join(root, "docs/internals/internals.md"), "utf8");
  const table = page.split("\n## The rooms\n")[1]!.split("\n## ")[0]!;
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  const known = { ...mayImport, ...mayImportWithin };
  const said = rows.map((row) => {
    const [room, imports] = [1, -2].map((at) =>
      [
        ...row
          .split("|")
          .at(at)!
          .matchAll(/`(.+?)`/g),
      ].map(([, name]) => name!),
    );
    return { room: room![0]!, imports: imports!.sort() };
  });
  assert.deepEqual(
    said,
    said.map(({ room }) => ({ room, imports: [...(known[room] ?? ["no room"])].sort() })),
  );
  assert.deepEqual(
    Object.keys(known).filter((one) => !said.some(({ room }) => room === one)),
    [],
  );
});

test("each room has a file that begins with what the room is for", () => {
  const rooms = [...Object.keys(mayImport).filter((part) => !part.endsWith(".ts")), ...Object.keys(mayImportWithin)];
  const isOf = (room: string, path: string) => (innerOf(path) || partOf(path)) === room || partOf(path) === room;
  assert.deepEqual(
    rooms.filter((room) => !product.some(({ path, text }) => isOf(room, path) && text.startsWith(`// ${room}/: `))),
    [],
  );
});

test("each file begins with a sentence about what it holds", () => {
  expectNone(product, ({ text }) =>
    /^(?:#!.*\n)?(?:\/\/ \S|\/\*\*)/.test(text) ? [] : ["say in its first line what it is about, or why it exists"],
  );
});

test("the walks through the rooms name what there is", () => {
  const page = readFileSync(join(root, "docs/internals/walks.md"), "utf8");
  const named = [...page.matchAll(/`(src\/[^`]+\.ts)` `([^`]+)`/g)].map(([, path, name]) => ({
    path: path!,
    name: name!,
  }));
  assert.ok(named.length > 40, `${named.length} places`);
  const texts = new Map(product.map(({ path, text }) => [path, text]));
  assert.deepEqual(
    named.filter(({ path, name }) => !new RegExp(`(^|[^\\w#])${name}\\b`, "m").test(texts.get(path) ?? "")),
    [],
  );
});

/** What a program loads that imports this file alone. */
function loadedBy(entry: string): SourceFile[] {
  const sources = new Map(product.map((file) => [file.path, file]));
  const loaded = new Set([entry]);
  for (const path of loaded)
    for (const { file, typeOnly } of sources.get(path)!.imports) if (file !== undefined && !typeOnly) loaded.add(file);
  return [...loaded].map((path) => sources.get(path)!);
}

test("src/client.ts loads nothing that Node 20 lacks", () => {
  const newer =
    /\bPromise\.(?:withResolvers|try)\b|\b(?:Map|Object)\.groupBy\b|\bArray\.fromAsync\b|\bIterator\.from\b/g;
  expectNone(loadedBy("src/client.ts"), ({ text }) =>
    [...code(text).matchAll(newer)].map(([use]) => `uses ${use}; deferred() of src/runtime is Promise.withResolvers`),
  );
});

test("src/client.ts loads no engine, worker, decorator or program of a server", () => {
  const known = ["client.ts", "client", "domain", "collections", "wire", "sealing", "nats", "runtime", "facade"];
  const light = ["src/embedded/running-server.ts", "src/embedded/home.ts", "src/embedded/server-watch.ts"];
  const context = "src/worker/context.ts"; // what a client enqueues inside a task is a child of that run
  assert.deepEqual(
    loadedBy("src/client.ts")
      .map(({ path }) => path)
      .filter((path) => !known.includes(partOf(path)) && ![...light, context].includes(path)),
    [],
  );
});

test("src/mod.ts loads no module of the system that only some processes need, before they need it", () => {
  const rare = /^import (?!type\b)[^;]*"node:(?:http|https|zlib)";/gm;
  expectNone(loadedBy("src/mod.ts"), ({ text }) => [...text.matchAll(rare)].map(([line]) => line));
});

test("no file imports itself, however long the way, types included", () => {
  assert.deepEqual(cycles(product), []);
});

test("a file has at most 400 lines", () => {
  expectNone(everything, ({ text }) => {
    const lines = text.trimEnd().split("\n").length;
    return lines > 400 ? [`${lines} lines`] : [];
  });
});

/** Lines of code that a room may have: what it has, and a little more. They only ever shrink. */
const budgets: Record<string, number> = {
  collections: 470,
  fold: 1_323,
  matching: 3_290,
  presence: 510,
  housekeeping: 731,
  reactions: 407,
  scheduler: 586,
  leader: 369,
  requests: 899,
  engine: 1_320,
};

test("no room of the scheduler outgrows its budget", () => {
  const sizes = new Map<string, number>();
  for (const { path, text } of product) {
    const lines = code(text)
      .split("\n")
      .filter((line) => line.trim() !== "").length;
    sizes.set(partOf(path), (sizes.get(partOf(path)) ?? 0) + lines);
  }
  const over = Object.entries(budgets).filter(([room, most]) => sizes.get(room)! > most);
  assert.deepEqual(
    over.map(([room, most]) => `${room} has ${sizes.get(room)} lines of code, ${most} are allowed`),
    [],
  );
});

test("no file is named after nothing", () => {
  const names = /(?:^|\/)(?:utils?|common|helpers?|types|index|misc|shared)(?:\.[a-z]+$|\/)/;
  expectNone(everything, ({ path }) =>
    names.test(path.replace(/^test\/types\//, "")) ? ["name the noun that it holds"] : [],
  );
});

test("relative imports name the file with its extension", () => {
  expectNone(everything, ({ imports }) =>
    imports
      .filter(({ file }) => file !== undefined && !/\.(?:[cm]?[jt]s|json)$/.test(file))
      .map(({ specifier }) => specifier),
  );
});

test("only decorators/metadata.ts imports reflect-metadata, without patching globals", () => {
  expectNone(product, ({ path, imports }) =>
    imports
      .map(({ specifier }) => specifier)
      .filter((specifier) => specifier.startsWith("reflect-metadata"))
      .filter((specifier) => path !== "decorators/metadata.ts" || specifier !== "reflect-metadata/no-conflict"),
  );
});

test("Effect's modules are imported one by one, since its own entry loads all of them", () => {
  expectNone(product, ({ text }) => (/from "effect";/.test(code(text)) ? ["imports all of Effect"] : []));
});

test("only src/nats imports the NATS client", () => {
  const isClient = (one: Import) => one.specifier.startsWith("@nats-io/") && !one.typeOnly;
  expectNone(product, ({ path, imports }) =>
    partOf(path) === "nats" ? [] : imports.filter(isClient).map((one) => one.specifier),
  );
});

test("domain, collections and wire do no I/O", () => {
  const pure = product.filter(({ path }) => ["domain", "collections", "wire"].includes(partOf(path)));
  const isSystem = (name: string) => name.startsWith("node:") && name !== "node:buffer"; // bytes in memory
  expectNone(pure, ({ imports }) => imports.map((one) => one.specifier).filter(isSystem));
});

test("the scheduler is pure: no packages, no clock, no randomness", () => {
  const scheduler = product.filter(({ path }) => [...rooms, "scheduler"].includes(partOf(path)));
  expectNone(scheduler, ({ text, imports }) => [
    ...imports.filter((one) => one.file === undefined && !one.typeOnly).map((one) => `imports ${one.specifier}`),
    ...[
      ...code(text).matchAll(
        /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.|setTimeout|setInterval|crypto\.)/g,
      ),
    ].map(([use]) => `uses ${use}`),
  ]);
});

test("only scheduler, requests and engine know whether they lead", () => {
  const above = product.filter(({ path }) => rooms.includes(partOf(path)));
  expectNone(above, ({ text }) => [...code(text).matchAll(/\bisLeading\b/g)].map(([use]) => `uses ${use}`));
});

test("engines and workers go by the server's clock, or by one that nobody sets: never by the machine's", () => {
  const clocked = product.filter(({ path }) => ["engine", "leader", "requests", "worker"].includes(partOf(path)));
  expectNone(clocked, ({ text }) =>
    [...code(text).matchAll(/\bDate\.now\b|new Date\(\)/g)].map(([use]) => `uses ${use}`),
  );
});

test("effects are run at the edges only", () => {
  const edges = ["runtime", "cli", "facade", "testing", "mod.ts"];
  const inWorker = [
    "src/worker/heart/heart-beats.ts", // runs in a thread, a program of its own
    "src/worker/output.ts", // a task may return an Effect: it is run where a promise would be awaited
  ];
  expectNone(product, ({ path, text }) =>
    edges.includes(partOf(path)) || inWorker.includes(path)
      ? []
      : [...code(text).matchAll(/\bEffect\.run[A-Z]\w*/g)].map(([use]) => `uses ${use}`),
  );
});

test("natchet's own source holds no decorated class", () => {
  expectNone(product, ({ text }) => (/^\s*@(?:Worker|Task)\b/m.test(code(text)) ? ["decorates a class"] : []));
});
