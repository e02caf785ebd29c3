// Environments: settings, or a sentence that names the variable, and no value of a secret.
import assert from "node:assert/strict";
import { resolveSettings, variables } from "../../src/facade/settings.ts";
import { assertNatsOptions } from "../../src/nats/options.ts";
import { type Fuzzer, oddNames, without } from "./fuzzer.ts";

type Variable = keyof typeof variables;
type Environment = readonly (readonly [Variable, string])[];

const names = Object.keys(variables) as Variable[];
const secret = "hunter2";
const values = [
  ...["0", "1", "3", "-1", "5.5", "1e400", "NaN", " ", "true", "off", "auto", "warm", "log", "exit", "json", "text"],
  ...[
    "30s",
    "1h30m",
    "300000000d",
    "debug",
    "silent",
    "prod",
    "prod_lease",
    "a.b",
    "_INBOX.web",
    "/tmp/x",
    "127.0.0.1",
  ],
  ...[
    `nats://user:${secret}@host`,
    `tls://${secret}@h1,h2`,
    `user:${secret}@host`,
    "nats://h:99999",
    "http://x",
    "%zz",
  ],
  ...oddNames,
];

export const settings: Fuzzer<Environment> = {
  name: "settings",
  make: (random) =>
    Array.from({ length: random.whole(1, 5) }, () => {
      const name = random.pick(names);
      if (name === "NATS_PASSWORD" || name === "NATS_TOKEN") return [name, secret] as const;
      const value = random.chance(0.1) ? random.text(0, 30) : random.pick(values);
      // Whoever writes an address with its login into another variable sees what was written there.
      return [name, name !== "NATS_URL" && value.includes(secret) ? "x" : value] as const;
    }),
  check: (environment) => {
    for (const [name, value] of environment) process.env[name] = value.replaceAll("\0", "");
    try {
      const { nats } = resolveSettings();
      assertNatsOptions({ ...nats, url: nats.url ?? "nats://127.0.0.1:4222" });
    } catch (error) {
      assert.ok(error instanceof TypeError || error instanceof RangeError, String((error as Error).stack));
      assert.match(error.message, /NATS|NATCHET|for example/);
      assert.doesNotMatch(error.message, new RegExp(secret));
      assert.doesNotMatch(error.message, /undefined is not|Cannot read|is not a function/);
    } finally {
      for (const name of names) delete process.env[name];
    }
  },
  smaller: without,
  show: (environment) => JSON.stringify(Object.fromEntries(environment)),
};
