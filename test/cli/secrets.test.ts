// What the command line tells, and to whom.
import assert from "node:assert/strict";
import { workerProgram } from "../../src/cli/dev.ts";
import { natsConfigText } from "../../src/cli/nats-config.ts";
import { test } from "../support/harness.ts";

test("natchet dev hands the address to its workers where nobody else can read it", () => {
  const url = "nats://ann:s3cret@127.0.0.1:4222";
  const { command, env } = workerProgram(["run"], ["worker.ts"], { url, namespace: "prod" }, { port: 8080 });
  assert.equal(env["NATS_URL"], url);
  assert.doesNotMatch(command.join(" "), /s3cret/);
  assert.match(command.join(" "), /--namespace prod worker --health-port 8080 worker\.ts$/);
  assert.equal("NATS_URL" in workerProgram([], [], {}, {}).env, false);
  assert.equal(workerProgram([], [], { encryption: "/app/keys.ts" }, {}).env["NATCHET_ENCRYPTION"], "/app/keys.ts");
});

test("natchet nats-config: an account for each namespace, and a new password for each user", () => {
  const text = natsConfigText("prod,staging");
  assert.equal(text.match(/"natchet_(prod|staging)": \{/g)?.length, 2);
  const passwords = [...text.matchAll(/password: "([0-9a-z]{32})"/g)].map(([, password]) => password);
  assert.deepEqual([passwords.length, new Set(passwords).size], [8, 8]);
  assert.notEqual(natsConfigText("prod"), natsConfigText("prod"));
  assert.throws(() => natsConfigText("prod, a.b"), /"a\.b" is not a valid namespace name/);
});
