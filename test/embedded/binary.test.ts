import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerBinaryNotFound } from "../../src/domain/errors.ts";
import { findServerBinary } from "../../src/embedded/binary.ts";
import { fetchDebianPackage } from "../../src/embedded/provision/debian-package.ts";
import { fetchedVersion, isUsableVersion } from "../../src/nats/server-version.ts";
import { afterAll, describe, test } from "../support/harness.ts";
import { testBinary } from "./member.ts";
import { startMirror } from "./mirror.ts";

const scratch = mkdtempSync(join(tmpdir(), "natchet-binary-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;
const folder = () => {
  const path = join(scratch, String(++made));
  mkdirSync(path);
  return path;
};
/** A program that answers `--version` like a server. */
const program = (version: string) => `#!/bin/sh\necho "nats-server: v${version}"\n`;
const place = (directory: string, version: string) => {
  const path = join(directory, "nats-server");
  writeFileSync(path, program(version));
  chmodSync(path, 0o755);
  return path;
};
const nowhere = "http://127.0.0.1:1";
const environment = (fields: { path?: string; cache?: string; releases?: string; given?: string }) => ({
  PATH: fields.path ?? folder(),
  XDG_CACHE_HOME: fields.cache ?? folder(),
  NATCHET_NATS_RELEASES: fields.releases ?? nowhere,
  ...(fields.given !== undefined && { NATCHET_NATS_SERVER: fields.given }),
});
const silent = () => {};
const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ServerBinaryNotFound, String(error));
    return error.message;
  }
  throw new Error("something was found");
};

describe("findServer", () => {
  test("takes what NATCHET_NATS_SERVER names before PATH", async () => {
    const [given, onPath] = [place(folder(), "2.11.0"), folder()];
    place(onPath, "2.12.0");
    assert.deepEqual(await findServerBinary({ environment: environment({ given, path: onPath }) }), {
      path: given,
      version: "2.11.0",
      source: "environment",
    });
  });

  test("refuses an unusable NATCHET_NATS_SERVER instead of taking another program", async () => {
    const onPath = folder();
    place(onPath, "2.12.0");
    const old = place(folder(), "2.9.10");
    assert.match(
      await failure(findServerBinary({ environment: environment({ given: old, path: onPath }) })),
      /NATCHET_NATS_SERVER names .* is version 2\.9\.10, older than 2\.10\.0/,
    );
    assert.match(
      await failure(findServerBinary({ environment: environment({ given: "/no/such/file", path: onPath }) })),
      /\/no\/such\/file, which does not run here/,
    );
  });

  test("skips a program on PATH that is too old", async () => {
    const [old, usable] = [folder(), folder()];
    place(old, "2.9.10");
    const path = place(usable, "2.10.27");
    assert.deepEqual(await findServerBinary({ environment: environment({ path: `${old}:${usable}` }) }), {
      path,
      version: "2.10.27",
      source: "path",
    });
    assert.match(
      await failure(findServerBinary({ environment: environment({ path: old }), announce: silent })),
      /on PATH is version 2\.9\.10/,
    );
  });

  test("fetches the official release once, with one line, and then touches no network", async () => {
    const mirror = await startMirror(new TextEncoder().encode(program(fetchedVersion)));
    const env = environment({ releases: mirror.url });
    const lines: string[] = [];
    const first = await findServerBinary({ environment: env, announce: (line) => lines.push(line) });
    const path = join(env.XDG_CACHE_HOME, "natchet", "nats-server", fetchedVersion, "nats-server");
    assert.deepEqual(first, { path, version: fetchedVersion, source: "release" });
    assert.equal(lines.length, 1);
    assert.equal(mirror.requests.length, 2);
    const second = await findServerBinary({ environment: env, announce: (line) => lines.push(line) });
    await mirror.stop();
    assert.deepEqual(second, { ...first, source: "cache" });
    assert.equal(lines.length, 1);
    assert.equal(mirror.requests.length, 2);
  });

  test("keeps nothing of an archive whose checksum is wrong", async () => {
    const mirror = await startMirror(new TextEncoder().encode(program(fetchedVersion)), (archive) => {
      const changed = Uint8Array.from(archive);
      changed[changed.length - 20]! ^= 1;
      return changed;
    });
    const env = environment({ releases: mirror.url });
    const message = await failure(findServerBinary({ environment: env, announce: silent }));
    await mirror.stop();
    assert.match(message, /has the checksum [0-9a-f]{64}, SHA256SUMS says [0-9a-f]{64}; nothing was kept/);
    assert.deepEqual(readdirSync(join(env.XDG_CACHE_HOME, "natchet", "nats-server")), []);
  });

  test("names every way that was tried when nothing serves", async () => {
    const message = await failure(findServerBinary({ environment: environment({}), announce: silent }));
    for (const part of ["none on PATH", nowhere, "Debian family", "NATCHET_NATS_SERVER", "NATS_URL"])
      assert.ok(message.includes(part), `${part} in ${message}`);
  });

  test("several fetches at once leave one whole program and nothing else", async () => {
    const mirror = await startMirror(readFileSync(testBinary));
    const env = environment({ releases: mirror.url });
    const root = join(env.XDG_CACHE_HOME, "natchet", "nats-server");
    const abandoned = join(root, ".incoming-abandoned");
    mkdirSync(abandoned, { recursive: true });
    utimesSync(abandoned, 1, 1);
    const found = await Promise.all([1, 2, 3].map(() => findServerBinary({ environment: env, announce: silent })));
    await mirror.stop();
    assert.equal(new Set(found.map((one) => one.path)).size, 1);
    assert.equal(statSync(found[0]!.path).size, statSync(testBinary).size);
    assert.deepEqual(readdirSync(root), [found[0]!.version]);
  });

  test("ignores a cached program that does not run", async () => {
    const env = environment({ path: folder() });
    const broken = join(env.XDG_CACHE_HOME, "natchet", "nats-server", "9.9.9");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "nats-server"), "half a file");
    const older = join(env.XDG_CACHE_HOME, "natchet", "nats-server", "2.10.27");
    mkdirSync(older);
    const path = place(older, "2.10.27");
    assert.deepEqual(await findServerBinary({ environment: env }), { path, version: "2.10.27", source: "cache" });
  });
});

describe("the distribution's package", () => {
  // Real apt, real mirror. On other systems the same call has to say why it cannot serve.
  test("serves where the official release cannot be reached, on a Debian family machine", async () => {
    const tools = folder();
    for (const tool of ["apt-get", "apt-config", "dpkg", "dpkg-deb"]) {
      if (existsSync(`/usr/bin/${tool}`)) symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
    }
    const env = environment({ path: tools });
    if (!existsSync("/usr/bin/apt-get")) {
      assert.match(await failure(findServerBinary({ environment: env, announce: silent })), /Debian family/);
      return;
    }
    const found = await findServerBinary({ environment: env, announce: silent });
    assert.equal(found.source, "debian");
    assert.ok(isUsableVersion(found.version));
    assert.deepEqual(readdirSync(join(env.XDG_CACHE_HOME, "natchet", "nats-server")), [found.version]);
  }, 120_000);

  test("is refused without a source of the distribution's own packages", async () => {
    const apt = folder();
    mkdirSync(join(apt, "sources.list.d"));
    writeFileSync(
      join(apt, "sources.list.d", "vendor.list"),
      "deb [signed-by=/k.gpg] https://packages.example.com/apt stable main\n",
    );
    const tools = folder();
    for (const tool of ["apt-get", "apt-config", "dpkg", "dpkg-deb"]) symlinkSync("/bin/true", join(tools, tool));
    const refused = fetchDebianPackage({
      into: join(apt, "out"),
      searchPath: tools,
      aptDirectory: apt,
      accepts: async () => true,
    });
    await assert.rejects(refused, /no source of the distribution's own packages/);
  });
});
