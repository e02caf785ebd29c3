import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { scan } from "../decorators/mod.ts";
import { discoverWorkers } from "../src/discovery.ts";
import { root } from "./support/child.ts";
import { afterAll, beforeAll, test } from "./support/harness.ts";

let folder = "";
const decorators = pathToFileURL(join(root, "decorators", "mod.ts")).href;

const worker = (name: string, more = "") => `import { Task, Worker } from ${JSON.stringify(decorators)};
@Worker({ name: "${name}" })
export class ${name} { ${more} @Task("${name}-task") run() {} }
`;

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}
const found = async (patterns: string | string[]) =>
  (await discoverWorkers(patterns, folder)).map((source) => scan(source).name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "natchet-[discovery]-"));
  await write("workers/b.ts", worker("Beta"));
  await write(
    "workers/a.ts",
    `${worker("Alpha")}export default Alpha;\nexport const limit = 5;\nexport class Plain {}\n`,
  );
  await write("workers/deep/c.js", `export { Alpha } from "../a.ts";\nexport const nothing = null;\n`);
  await write(
    "workers/deep/needs.ts",
    `${worker("Needs", "constructor(db) { this.db = db; }")}export const needs = new Needs({});\n`,
  );
  await write("workers/a.test.ts", `throw new Error("a test was imported");\n`);
  await write("workers/_private/x.ts", `throw new Error("a private file was imported");\n`);
  await write("workers/node_modules/x/x.ts", `throw new Error("a package was imported");\n`);
  await write("workers/notes.md", "no source\n");
  await write("workers/shapes.d.ts", "export declare const x: number;\n");
  await write("_alone.ts", worker("Alone"));
  await write("broken/bad.ts", `throw new Error("no database");\n`);
  await write("empty/nothing.ts", "export const a = 1;\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a folder gives every exported worker once, in the order of the paths", async () => {
  assert.deepEqual(await found("workers"), ["Alpha", "Beta", "Needs"]);
});

test("a glob gives what it matches", async () => {
  assert.deepEqual(await found("workers/*.ts"), ["Alpha", "Beta"]);
  assert.deepEqual(await found("workers/**/{needs,b}.ts"), ["Beta", "Needs"]);
  assert.deepEqual(await found("./workers/b.*"), ["Beta"]);
});

test("a file that is named is taken, whatever its name", async () => {
  assert.deepEqual(await found(["_alone.ts", "workers/b.ts", join(folder, "workers/b.ts")]), ["Alone", "Beta"]);
});

test("an instance is preferred to its class, whose constructor needs arguments", async () => {
  const [needs] = await discoverWorkers("workers/deep/needs.ts", folder);
  assert.equal(typeof needs, "object");
});

test("patterns without a file are passed over while another has a worker", async () => {
  assert.deepEqual(await found(["nowhere/**/*.ts", "worker.ts", "workers/b.ts"]), ["Beta"]);
});

test("no worker is an error that names the patterns and the files looked at", async () => {
  await assert.rejects(found("empty"), (error: Error) => {
    assert.match(error.message, /no worker found in "empty": looked at .*nothing\.ts; export a class under @Worker/);
    return true;
  });
  await assert.rejects(
    found(["nowhere/*.ts", "worker.ts"]),
    /no worker found in "nowhere\/\*\.ts", "worker\.ts": no file matches/,
  );
});

test("a file that throws is an error with its path", async () => {
  await assert.rejects(found("broken"), /bad\.ts cannot be imported: no database/);
});

test("a syntax error is told with file, line, column and code, also of a module that is imported", async () => {
  await write("syntax/lib.ts", "export const a = 1;\nconst b = ;\n");
  await write("syntax/worker.ts", 'import "./lib.ts";\n');
  await assert.rejects(found("syntax/worker.ts"), ({ message }: Error) => {
    assert.match(message, /^\S+worker\.ts cannot be imported:/);
    assert.match(message, /lib\.ts:2:11\b/);
    assert.match(message, /2 \| const b = ;\n[ |]+[~^]/);
    return true;
  });
});

test("a wrong option of a decorator keeps the user's line", async () => {
  await write("wrong/worker.ts", worker("Wrong").replace('"Wrong-task"', '"Wrong-task", { timeout: "soon" }'));
  await assert.rejects(found("wrong"), /cannot be imported: .*"soon".*\n +at .*wrong\/worker\.ts:3:/s);
});

test("an empty pattern is refused: it would import everything below the folder", async () => {
  await assert.rejects(found(""), /"" is not a pattern of files/);
  await assert.rejects(found(["workers", " "]), TypeError);
});
