import assert from "node:assert/strict";
import { assertNatsOptions, loginOf } from "../../src/nats/options.ts";
import { test } from "../support/harness.ts";

const options = { url: "nats://127.0.0.1:4222", namespace: "test" };
const refused = (given: object, message: RegExp) =>
  assert.throws(() => assertNatsOptions({ ...options, ...given }), { name: "TypeError", message });

test("options: addresses that work are taken", () => {
  for (const url of [
    "nats://127.0.0.1:4222",
    "localhost",
    "a:1, tls://b.example:2",
    "nats://[::1]:4222",
    "nats://u:p@h:1/",
  ])
    assertNatsOptions({ ...options, url });
});

test("options: what can never connect is refused with the value, the rule and an example", () => {
  refused({ url: "http://127.0.0.1" }, /"http:\/\/127\.0\.0\.1" is not the address .* for example "nats:/);
  refused({ url: "" }, /is not the address/);
  refused({ inboxPrefix: "_INBOX.>" }, /inboxPrefix.*"_INBOX.>" is not "_INBOX", or .* for example "_INBOX\.producer"/);
  refused({ namespace: "a.b" }, /a\.b/);
  refused({ user: "a", token: "b" }, /user and token are both set; choose one/);
  refused({ password: "secret" }, /password is set without user/);
  refused({ nkeyFile: "/nowhere.nk" }, /nkeyFile: there is no file "\/nowhere\.nk"/);
  refused({ tls: { cert: import.meta.filename } }, /cert and key belong together/);
});

test("options: what code says about the login goes before the address", () => {
  const url = "nats://ann:p%40ss@a:1,nats://b:2";
  assert.deepEqual(loginOf({ ...options, url }), { user: "ann", pass: "p@ss" });
  assert.deepEqual(loginOf({ ...options, url, token: "code wins" }), { token: "code wins" });
  assert.deepEqual(loginOf({ ...options, url, user: "bob", password: "x" }), { user: "bob", pass: "x" });
  assert.deepEqual(loginOf(options), {});
});
