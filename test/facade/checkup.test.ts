// What `natchet doctor` finds, on a server where one login may do everything and another only enqueues.
import assert from "node:assert/strict";
import { checkUp } from "../../src/facade/checkup.ts";
import { resolveSettings } from "../../src/facade/settings.ts";
import { settingsInForce, unknownVariables } from "../../src/facade/settings-in-force.ts";
import { start, Task, Worker } from "../../src/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

const namespace = "doctor";
const client = `publish: ["$JS.API.INFO", "$JS.API.STREAM.INFO.>", "natchet.${namespace}.run.>",
  "natchet.${namespace}.engine.result"], subscribe: ["_INBOX.>", "natchet.${namespace}.epoch"]`;

@Worker({ name: "patient", slots: 1 })
class Patient {
  @Task("cough")
  async cough() {}
}

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer({
    config: `authorization { users: [
      { user: all, password: secret },
      { user: client, password: secret, permissions: { ${client} } }
    ] }`,
  });
});
afterAll(() => server.stop());

const look = async (user: string, password = "secret") => {
  const { findings } = await checkUp({ url: server.url, namespace, user, password }, []);
  return findings.map(
    ({ about, verdict, text, fix }) => `${verdict} ${about}: ${text}${fix === undefined ? "" : ` → ${fix}`}`,
  );
};
const has = (found: readonly string[], expected: RegExp) =>
  assert.ok(
    found.some((line) => expected.test(line)),
    `${expected} in\n${found.join("\n")}`,
  );

test("checkUp says what is there and what is missing, and leaves the server as it was", async () => {
  for (let look_ = 0; look_ < 2; look_++) {
    const found = await look("all");
    has(found, /^ok server: NATS at nats:\/\/127\.0\.0\.1:\d+$/);
    has(found, /^ok version: nats-server \d+\.\d+\.\d+, JetStream is enabled$/);
    has(found, /^ok permissions: /);
    has(found, /^note streams: namespace "doctor" has no streams yet/);
    has(found, /^bad engine: no engine answers .* → start a worker/);
  }
  const running = await start(Patient, {
    url: server.url,
    namespace,
    user: "all",
    password: "secret",
    signals: false,
    log: "silent",
  });
  try {
    const found = await look("all");
    has(found, /^ok streams: NATCHET_doctor: 0 messages, \d+ bytes, 1 replica$/);
    has(found, /^ok clock: this machine's clock is \d+ ms (?:behind|ahead of) the server's$/);
    has(found, /^ok engine: an engine leads, workers: 1, tasks: 1$/);
    const limited = await look("client");
    has(
      limited,
      /^note permissions: this login may not execute runs: the server refuses publish natchet\.doctor\.done\./,
    );
    has(limited, /^note permissions: this login may not lead as an engine: .*STREAM\.CREATE/);
    has(limited, /^note engine: this login may not ask/);
    assert.ok(!limited.some((line) => line.startsWith("bad")), limited.join("\n"));
  } finally {
    await running.stop();
  }
}, 60_000);

test("checkUp says of a wrong login and of a wrong setting what to do", async () => {
  has(await look("all", "wrong"), /^bad server: cannot connect to NATS at .* → /);
  const { findings, settings } = await checkUp({ namespace: "not a name" }, [
    "NATCHET_NAMSPACE",
    "NATCHET_WRAPPER",
    "HOME",
  ]);
  assert.deepEqual(findings.map(({ about, fix }) => [about, fix]).slice(0, 1), [
    ["settings", "did you mean NATCHET_NAMESPACE?"],
  ]);
  assert.match(findings[1]!.text, /"not a name" is not a valid namespace name/);
  assert.deepEqual(settings, []);
});

test("settingsInForce says where a value came from, and shows no secret", () => {
  const before = process.env.NATS_PASSWORD;
  process.env.NATS_PASSWORD = "hunter2";
  try {
    const options = { url: "nats://ada:hunter2@nats.example.com:4222" };
    const settings = settingsInForce(options, resolveSettings(options));
    const of = (name: string) => settings.find((one) => one.name === name)!;
    assert.deepEqual([of("NATS_URL").value, of("NATS_URL").from], ["nats://nats.example.com:4222", "command line"]);
    assert.equal(of("NATS_PASSWORD").from, "environment");
    assert.deepEqual([of("NATCHET_KEEP_AGE").value, of("NATCHET_KEEP_AGE").from], ["24h", "default"]);
    assert.doesNotMatch(JSON.stringify(settings), /hunter2/);
  } finally {
    if (before === undefined) delete process.env.NATS_PASSWORD;
    else process.env.NATS_PASSWORD = before;
  }
  assert.deepEqual(unknownVariables(["NATCHET_LOG"]), []);
});
