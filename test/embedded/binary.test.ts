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
import { isAbsolute, join } from "node:path";
import { ServerBinaryNotFound } from "../../src/domain/errors.ts";
import { findServerBinary } from "../../src/embedded/binary.ts";
import { BinaryCache } from "../../src/embedded/binary-cache.ts";
import { fetchDebianPackage } from "../../src/embedded/provision/debian-package.ts";
import { officialReleases, sumOfArchive } from "../../src/embedded/provision/release-sums.ts";
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
const environment = (fields: { path?: string; cache?: string; releases?: string; sum?: string; given?: string }) => ({
  PATH: fields.path ?? folder(),
  XDG_CACHE_HOME: fields.cache ?? folder(),
  NATCHET_NATS_RELEASES: fields.releases ?? nowhere,
  ...(fields.sum !== undefined && { NATCHET_NATS_CHECKSUM: fields.sum }),
  ...(fields.given !== undefined && { NATCHET_NATS_SERVER: fields.given }),
});
/** A cache with programs in it, as an earlier version of natchet left them. */
function cacheOf() {
  const env = environment({});
  const root = join(env.XDG_CACHE_HOME, "natchet", "nats-server");
  mkdirSync(root, { recursive: true, mode: 0o755 });
  const put = (version: string, text: string) => {
    const path = join(root, version, "nats-server");
    mkdirSync(join(root, version), { mode: 0o755 });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  return { env, root, put };
}
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

  test("fetches the official release once, and says so, and then touches no network", async () => {
    const mirror = await startMirror(new TextEncoder().encode(program(fetchedVersion)));
    const env = environment({ releases: mirror.url, sum: mirror.sum });
    const lines: string[] = [];
    const first = await findServerBinary({ environment: env, announce: (line) => lines.push(line) });
    const path = join(env.XDG_CACHE_HOME, "natchet", "nats-server", fetchedVersion, "nats-server");
    assert.deepEqual(first, { path, version: fetchedVersion, source: "release" });
    assert.deepEqual(lines.length, 2);
    assert.match(lines[1]!, /checksum is the one of NATCHET_NATS_CHECKSUM/);
    assert.equal(mirror.requests.length, 1);
    const second = await findServerBinary({ environment: env, announce: (line) => lines.push(line) });
    await mirror.stop();
    assert.deepEqual(second, { ...first, source: "cache" });
    assert.equal(lines.length, 2);
    assert.equal(mirror.requests.length, 1);
  });

  test("keeps nothing of an archive whose checksum is wrong", async () => {
    const mirror = await startMirror(new TextEncoder().encode(program(fetchedVersion)), (archive) => {
      const changed = Uint8Array.from(archive);
      changed[changed.length - 20]! ^= 1;
      return changed;
    });
    const env = environment({ releases: mirror.url, sum: mirror.sum });
    const message = await failure(findServerBinary({ environment: env, announce: silent }));
    await mirror.stop();
    assert.match(
      message,
      /has the checksum [0-9a-f]{64}, and must have [0-9a-f]{64} according to NATCHET_NATS_CHECKSUM; nothing was kept/,
    );
    assert.deepEqual(readdirSync(join(env.XDG_CACHE_HOME, "natchet", "nats-server")), []);
  });

  // What serves the archive serves the list of checksums as well.
  test("takes no mirror's word for what it serves", async () => {
    const mirror = await startMirror(new TextEncoder().encode(program(fetchedVersion)));
    const env = environment({ releases: mirror.url });
    const message = await failure(findServerBinary({ environment: env, announce: silent }));
    await mirror.stop();
    assert.match(message, /a mirror cannot vouch for itself; set NATCHET_NATS_CHECKSUM/);
    assert.deepEqual(mirror.requests, []);
  });

  test("names every way that was tried when nothing serves", async () => {
    const message = await failure(findServerBinary({ environment: environment({}), announce: silent }));
    for (const part of ["none on PATH", nowhere, "Debian-based", "NATCHET_NATS_SERVER", "NATS_URL"])
      assert.ok(message.includes(part), `${part} in ${message}`);
  });

  test("several fetches at once leave one whole program and nothing else", async () => {
    const mirror = await startMirror(readFileSync(testBinary));
    const env = environment({ releases: mirror.url, sum: mirror.sum });
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
    const { env, put } = cacheOf();
    put("9.9.9", "half a file");
    const path = put("2.10.27", program("2.10.27"));
    assert.deepEqual(await findServerBinary({ environment: env }), { path, version: "2.10.27", source: "cache" });
  });

  test("executes no cached program that others can write, or that is not the one that was checked", async () => {
    const { env, root, put } = cacheOf();
    const ran = join(root, "ran");
    const spy = `#!/bin/sh\ntouch ${ran}\necho "nats-server: v9.9.9"\n`;
    chmodSync(put("9.9.1", spy), 0o777);
    put("9.9.2", spy);
    chmodSync(join(root, "9.9.2"), 0o775);
    const elsewhere = place(folder(), "9.9.3");
    mkdirSync(join(root, "9.9.3"), { mode: 0o755 });
    symlinkSync(elsewhere, join(root, "9.9.3", "nats-server"));
    put("9.9.4", spy);
    writeFileSync(join(root, "9.9.4", "nats-server.sha256"), `${"0".repeat(64)}\n`);
    const path = put("2.10.27", program("2.10.27"));
    const found = { path, version: "2.10.27", source: "cache" };
    assert.deepEqual(await findServerBinary({ environment: env }), found);
    // From now on it has to stay as it is.
    writeFileSync(path, spy);
    await failure(findServerBinary({ environment: env, announce: silent }));
    writeFileSync(path, program("2.10.27"));
    assert.deepEqual(await findServerBinary({ environment: env }), found);
    chmodSync(root, 0o777);
    await failure(findServerBinary({ environment: env, announce: silent }));
    assert.equal(existsSync(ran), false);
  });

  test("follows no relative path to a program", () => {
    const home = folder();
    assert.equal(
      BinaryCache.of({ XDG_CACHE_HOME: "cache", HOME: home }).root,
      join(home, ".cache/natchet/nats-server"),
    );
    assert.ok(isAbsolute(BinaryCache.of({ HOME: "." }).root));
  });
});

describe("sumOfArchive", () => {
  const archive = "nats-server-v9-linux-amd64.tar.gz";
  const [one, two] = ["1".repeat(64), "2".repeat(64)];
  const published = async () => `${"0".repeat(64)}  other.tar.gz\n${one}  ${archive}\n`;
  const never = () => assert.fail("it was read");

  test("the user's word goes before natchet's, and that before the release host's; a mirror has none", async () => {
    const given = { archive, base: officialReleases, published: never, pinned: { [archive]: two } };
    assert.equal((await sumOfArchive({ ...given, given: one.toUpperCase() })).sum, one);
    assert.deepEqual(await sumOfArchive(given), { sum: two, by: "natchet" });
    assert.deepEqual(await sumOfArchive({ ...given, base: "http://mirror" }), { sum: two, by: "natchet" });
    const unpinned = { archive, base: `${officialReleases}/`, published, pinned: {} };
    assert.equal((await sumOfArchive(unpinned)).sum, one);
    for (const base of ["https://mirror.example/releases", officialReleases.replace("https", "http")])
      await assert.rejects(sumOfArchive({ ...unpinned, base }), /a mirror cannot vouch for itself/);
    await assert.rejects(sumOfArchive({ ...unpinned, archive: "another" }), /SHA256SUMS has no line for another/);
    await assert.rejects(sumOfArchive({ ...given, given: "abc" }), /"abc" is not a SHA-256/);
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
      assert.match(await failure(findServerBinary({ environment: env, announce: silent })), /Debian-based/);
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
