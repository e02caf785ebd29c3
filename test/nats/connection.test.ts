// Who is let in, who is refused with which words, and what a connection survives.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsOptions } from "../../src/nats/options.ts";
import { test } from "../support/harness.ts";
import { startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { inScene, outageOf } from "./scene.ts";

const failureOf = (options: NatsOptions): Promise<{ _tag: string; message: string }> =>
  Effect.runPromise(
    Effect.flip(Effect.scoped(connectNats(options))) as unknown as Effect.Effect<{ _tag: string; message: string }>,
  );

test("connect: a user and password, in options or in the URL; a wrong one is refused at once", () =>
  inScene(
    async ({ server, link }) => {
      await link({ user: "ann", password: "secret" });
      await link({ url: server.url.replace("//", "//ann:secret@") });
      for (let i = 0; i < 10; i++) {
        const failure = await failureOf({ url: server.url, namespace: "test", user: "ann", password: "wrong" });
        assert.equal(failure._tag, "NatsUnreachable");
        assert.match(failure.message, /authorization violation; check the login: NATS_USER/i);
        assert.doesNotMatch(failure.message, /wrong/);
      }
    },
    { config: 'authorization { user: ann, password: "secret" }' },
  ));

test("connect: a token", () =>
  inScene(
    async ({ server, link }) => {
      await link({ token: "t0ken" });
      assert.equal((await failureOf({ url: server.url, namespace: "test" }))._tag, "NatsUnreachable");
    },
    { config: 'authorization { token: "t0ken" }' },
  ));

test("connect: an nkey seed in a file", async () => {
  const { createUser } = await import("@nats-io/transport-node").then((nats) => nats.nkeys);
  const [pair, other] = [createUser(), createUser()];
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "user.nk"), `${new TextDecoder().decode(pair.getSeed())}\n`);
    writeFileSync(join(folder, "other.nk"), other.getSeed());
    await inScene(
      async ({ server, link }) => {
        await link({ nkeyFile: join(folder, "user.nk") });
        const failure = await failureOf({ url: server.url, namespace: "test", nkeyFile: join(folder, "other.nk") });
        assert.match(failure.message, /authorization violation/i);
      },
      { config: `authorization { users: [ { nkey: ${pair.getPublicKey()} } ] }` },
    );
  });
});

test(
  "connect: TLS with a client certificate; without the authority or the certificate there is no connection",
  () =>
    inFolder(async (folder) => {
      const files = makeCertificates(folder);
      const config = `tls { cert_file: "${files.serverCert}", key_file: "${files.serverKey}", ca_file: "${files.ca}", verify: true }`;
      await inScene(
        async ({ server, link }) => {
          const { nc } = await link({ tls: { ca: files.ca, cert: files.clientCert, key: files.clientKey } });
          await nc.flush();
          const untrusting = await failureOf({ url: server.url, namespace: "test" });
          assert.equal(untrusting._tag, "NatsUnreachable");
          const startedAt = performance.now();
          const unknown = await failureOf({ url: server.url, namespace: "test", tls: { ca: files.ca } });
          assert.match(unknown.message, /the server wants a client certificate; set tls\.cert and tls\.key/);
          const stranger = await failureOf({
            url: server.url,
            namespace: "test",
            tls: { ca: files.ca, cert: files.strangeCert, key: files.strangeKey },
          });
          assert.match(stranger.message, /the server refused the client certificate; check that its authority/);
          assert.ok(performance.now() - startedAt < 4_000, "told at once, not after a timeout");
        },
        { config },
      );
    }),
  30_000,
);

// For an address by IP Deno compares the certificate with "localhost" unless it is told what to compare it with.
test("connect: a certificate has to have the address that was dialled, also an IP", () =>
  inFolder(async (folder) => {
    const files = makeCertificates(folder);
    for (const [name, isRight] of [
      ["server", true],
      ["localhost", false],
      ["elsewhere", false],
    ] as const) {
      const config = `tls { cert_file: "${join(folder, name)}.pem", key_file: "${join(folder, name)}.key" }`;
      await inScene(
        async ({ server, link }) => {
          const url = `tls://127.0.0.1:${server.port}`;
          if (isRight) await link({ url, tls: { ca: files.ca } });
          else {
            const failure = await failureOf({ url, namespace: "test", tls: { ca: files.ca } });
            assert.match(failure.message, /127\.0\.0\.1 is not in the cert's list/);
          }
        },
        { config },
      );
    }
  }));

test("connect: tls:// says nothing to a server that does not offer TLS, or whose offer somebody left out", async () => {
  let heard = "";
  const info = { server_id: "x", version: "2.12.0", headers: true, max_payload: 1_048_576, jetstream: true, proto: 1 };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      heard += String(chunk);
    });
    socket.write(`INFO ${JSON.stringify({ ...info, auth_required: true })}\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const failure = await failureOf({ url: `tls://ann:s3cret@127.0.0.1:${port}`, namespace: "test" });
  server.close();
  assert.match(failure.message, /the server does not speak TLS, so nothing was sent to it/);
  assert.doesNotMatch(failure.message, /s3cret/);
  assert.equal(heard, "");
});

// An operator replaces the key at the server and in the file, in this order: what runs has to come back by itself.
test("link: a replaced credentials file is read at the next login, and refused logins are told until then", async () => {
  const { createUser } = await import("@nats-io/transport-node").then((nats) => nats.nkeys);
  const [old, fresh] = [createUser(), createUser()];
  const accepting = (key: string) => `authorization { users: [ { nkey: ${key} } ] }`;
  await inFolder(async (folder) => {
    const nkeyFile = join(folder, "user.nk");
    writeFileSync(nkeyFile, old.getSeed());
    const refusals: string[] = [];
    await inScene(
      async ({ server, link }) => {
        const nats = await link({ nkeyFile, onLoginRefused: (reason) => void refusals.push(reason) });
        assert.equal(nats.loginRefusedMs(), undefined);
        await server.kill();
        const next = await startNatsServer({ port: server.port, config: accepting(fresh.getPublicKey()) });
        await waitFor(() => (nats.loginRefusedMs() ?? 0) > 0, 10_000, "the login to be refused");
        writeFileSync(nkeyFile, ""); // half of a replacement
        await waitFor(() => (nats.loginRefusedMs() ?? 0) > 1_000, 10_000, "another refusal");
        writeFileSync(nkeyFile, fresh.getSeed());
        await waitFor(() => nats.isConnected(), 10_000, "the login with the new key");
        assert.equal(nats.loginRefusedMs(), undefined);
        assert.deepEqual(refusals, ["Authorization Violation"]);
        await next.stop();
      },
      { config: accepting(old.getPublicKey()) },
    );
  });
}, 60_000);

test("connect: nobody listens", async () => {
  const startedAt = Date.now();
  const failure = await failureOf({ url: "nats://u:secret@127.0.0.1:1", namespace: "test" });
  assert.equal(failure._tag, "NatsUnreachable");
  assert.match(
    failure.message,
    /cannot connect to NATS at nats:\/\/127\.0\.0\.1:1: connection refused; start a server/,
  );
  assert.ok(Date.now() - startedAt < 2_000);
});

test("connect: an old server is refused with its version", async () => {
  const info = {
    server_id: "old",
    version: "2.9.25",
    headers: true,
    max_payload: 1_048_576,
    jetstream: true,
    proto: 1,
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (String(chunk).includes("PING")) socket.write("PONG\r\n");
    });
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const failure = await failureOf({ url: `nats://127.0.0.1:${port}`, namespace: "test" });
  server.close();
  assert.equal(failure._tag, "ServerTooOld");
  assert.match(failure.message, /nats-server 2\.9\.25 at nats:\/\/127\.0\.0\.1:\d+ is too old: natchet needs 2\.10\.0/);
});

test("connect: a server without JetStream", () =>
  inScene(
    async ({ server }) => {
      const failure = await failureOf({ url: server.url, namespace: "test" });
      assert.equal(failure._tag, "JetStreamDisabled");
      assert.match(failure.message, /has JetStream disabled; start it with "nats-server -js"/);
    },
    { jetstream: false },
  ));

test("connect: an account without JetStream", () =>
  inScene(
    async ({ server }) => {
      const failure = await failureOf({ url: server.url, namespace: "test", user: "ann", password: "x" });
      assert.equal(failure._tag, "JetStreamDisabled");
    },
    { config: "accounts { A { users: [ { user: ann, password: x } ] }, B { jetstream: enabled } }" },
  ));

test("connect: a user who may not ask JetStream, or not hear the answer", () =>
  inScene(
    async ({ server }) => {
      const mute = await failureOf({ url: server.url, namespace: "test", user: "mute", password: "x" });
      assert.equal(mute._tag, "PermissionDenied");
      assert.match(mute.message, /NATS refuses \$JS\.API\.INFO.*natchet nats-config/);
      const deaf = await failureOf({ url: server.url, namespace: "test", user: "deaf", password: "x" });
      assert.equal(deaf._tag, "PermissionDenied");
      assert.match(deaf.message, /_INBOX/);
    },
    {
      config: `authorization { users: [
        { user: mute, password: x, permissions: { publish: { deny: "$JS.API.>" } } }
        { user: deaf, password: x, permissions: { subscribe: { deny: "_INBOX.>" } } }
      ] }`,
    },
  ));

test(
  "link: a core subscription works again after SIGKILL and restart, and the listeners are told once each",
  () =>
    inScene(async ({ server, link }) => {
      const one = await link();
      const other = await link();
      let disconnects = 0;
      let reconnects = 0;
      one.onDisconnect(() => void disconnects++);
      one.onReconnect(() => void reconnects++);
      const heard: string[] = [];
      one.nc.subscribe("natchet.test.x", { callback: (_error, message) => void heard.push(message.string()) });
      await server.kill();
      await waitFor(() => !one.isConnected(), 20_000, "the disconnect");
      await outageOf(1_000);
      await server.restart();
      await waitFor(() => one.isConnected() && other.isConnected(), 20_000, "the reconnect");
      other.nc.publish("natchet.test.x", "after");
      await waitFor(() => heard.length === 1, 20_000, "the message");
      assert.deepEqual([heard, disconnects, reconnects], [["after"], 1, 1]);
      assert.ok(one.maxPayload > 0 && one.version.startsWith("2."));
    }),
  30_000,
);

// The client calls back from the loop that reads the socket; an error that escapes ends the loop and leaves a connection that hears nothing.
test("link: a callback that throws is reported, and the connection goes on hearing", () =>
  inScene(async ({ link }) => {
    const faults: string[] = [];
    const one = await link({ onFault: (subject, error) => void faults.push(`${subject}: ${String(error)}`) });
    const other = await link();
    const heard: string[] = [];
    let disconnects = 0;
    one.onDisconnect(() => void disconnects++);
    one.nc.subscribe("natchet.test.x", {
      callback: (_error, message) => {
        heard.push(message.string());
        if (message.string() === "bad") throw new Error("cannot read this");
      },
    });
    await one.nc.flush();
    for (const text of ["bad", "good"]) other.nc.publish("natchet.test.x", text);
    await waitFor(() => heard.length === 2, 20_000, "both messages");
    await one.nc.request("natchet.test.nobody", "", { timeout: 1_000 }).catch((error) => heard.push(error.message));
    assert.match(heard[2]!, /no responders/);
    assert.deepEqual([faults, disconnects], [["natchet.test.x: Error: cannot read this"], 0]);
  }));

// A peer that is gone without a word (a partition, a frozen machine) while our socket's buffer is full: the client waits for its last
// write before it gives the connection up, so it would wait for ever and the worker would silently do nothing.
test(
  "link: a silent peer with a full socket is given up, and the link works again when the peer does",
  () =>
    inScene(async ({ server, link }) => {
      const { nc, isConnected } = await link();
      server.pause();
      const big = new Uint8Array(500_000);
      for (let i = 0; i < 60; i++) nc.publish("natchet.test.x", big);
      await waitFor(() => !isConnected(), 25_000, "the disconnect");
      server.resume();
      await waitFor(() => isConnected(), 10_000, "the reconnect");
      await nc.flush();
    }),
  60_000,
);

test(
  "link: a closed scope closes the connection in time although the server is silent",
  () =>
    inScene(async ({ server }) => {
      const closed = await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const link = yield* connectNats({ url: server.url, namespace: "test" });
            server.pause();
            return { closed: link.closed, startedAt: Date.now() };
          }),
        ) as Effect.Effect<{ closed: Promise<void>; startedAt: number }>,
      );
      await closed.closed;
      server.resume();
      assert.ok(Date.now() - closed.startedAt < 4_000);
    }),
  30_000,
);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "natchet-auth-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeCertificates(folder: string) {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = (name: string) =>
    openssl(
      "req",
      "-x509",
      ...key,
      "-keyout",
      file(`${name}.key`),
      "-out",
      file(`${name}.pem`),
      "-subj",
      `/CN=${name}`,
    );
  const signed = (name: string, extension: string, by = "ca") => {
    writeFileSync(file(`${name}.ext`), `${extension}\n`);
    openssl("req", ...key, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`), "-subj", `/CN=${name}`);
    const authority = ["-CA", file(`${by}.pem`), "-CAkey", file(`${by}.key`), "-CAcreateserial"];
    const written = ["-extfile", file(`${name}.ext`), "-out", file(`${name}.pem`)];
    openssl("x509", "-req", "-in", file(`${name}.csr`), ...authority, ...written);
  };
  authority("ca");
  authority("other-ca");
  signed("server", "subjectAltName=IP:127.0.0.1,DNS:localhost");
  signed("localhost", "subjectAltName=DNS:localhost");
  signed("elsewhere", "subjectAltName=IP:127.0.0.2");
  signed("client", "extendedKeyUsage=clientAuth");
  signed("stranger", "extendedKeyUsage=clientAuth", "other-ca");
  return {
    ca: file("ca.pem"),
    serverCert: file("server.pem"),
    serverKey: file("server.key"),
    clientCert: file("client.pem"),
    clientKey: file("client.key"),
    strangeCert: file("stranger.pem"),
    strangeKey: file("stranger.key"),
  };
}
