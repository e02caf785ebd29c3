// Addresses are taken apart in one place, and whatever is written in one, no password of it is shown.
import assert from "node:assert/strict";
import { parseAddresses, shownAddress } from "../../src/nats/address.ts";
import { test } from "../support/harness.ts";

test("parseAddresses: one login for all servers, TLS for all when one asks for it", () => {
  assert.deepEqual(parseAddresses("nats://ann:p%40s%2Cs@a:1, b:2"), {
    shown: ["nats://a:1", "b:2"],
    login: { user: "ann", pass: "p@s,s" },
    needsTls: false,
  });
  assert.deepEqual(parseAddresses("nats://t0k@a"), { shown: ["nats://a"], login: { token: "t0k" }, needsTls: false });
  assert.equal(parseAddresses("nats://a,tls://[::1]:4222").needsTls, true);
  assert.deepEqual(parseAddresses("nats://x:y:z@a").login, { user: "x", pass: "y:z" });
});

test("shownAddress: shows no part of a password, however the address is written", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["nats://h1,nats://b:s3cret@h2", "nats://h1,nats://h2"],
    ["nats://a:s3cret@h1:1,nats://a:s3cret@h2:2/", "nats://h1:1,nats://h2:2"],
    ["ann:s3cret@h", "h"],
    ["nats://ann:s3/cret@h:4222", "nats://h:4222"],
    ["nats://ann:s3,cret@h", "nats://h"],
    ["nats://ann:s3@cret@h", "nats://h"],
    ["nats://ann:s3,@/cret@h1,nats://ann:s3,@/cret@h2", "nats://h2"],
    ["nats://ann:s3cret", "nats://ann:…"],
    ["http://ann:s3cret@h", "http://h"],
    ["nats://ann:s3%cret@h", "nats://h"],
  ];
  for (const [url, shown] of cases) assert.equal(shownAddress(url), shown, url);
});

test("parseAddresses: what cannot be understood is refused without the password in the message", () => {
  const refused = (url: string, message: RegExp) =>
    assert.throws(
      () => parseAddresses(url),
      (error: TypeError) => error instanceof TypeError && message.test(error.message) && !/s3|cret/.test(error.message),
      url,
    );
  refused("ann:s3cret@h:4222", /"h:4222" has a login without a scheme; write nats:\/\/ or tls:\/\/ before it/);
  refused("nats://h1,ann:s3cret@h2", /has a login without a scheme/);
  for (const password of ["s3/cret", "s3,cret", "s3@cret", "s3 cret"])
    refused(`nats://ann:${password}@h`, /"nats:\/\/h" is not the address of .* percent-encodes special characters/);
  refused("nats://ann:s3%cret@h", /has a % that is not followed by/);
  refused("nats://ann:s3cret@h1,nats://bob:s3cret@h2", /nats:\/\/h1,nats:\/\/h2 have different logins/);
});
