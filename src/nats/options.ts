// The options of a connection, and their check. The facade takes them from code and environment.
import { existsSync } from "node:fs";
import { assertName } from "../domain/names.ts";
import { isInboxPrefix } from "../wire/result-inbox.ts";
import { type Login, parseAddresses } from "./address.ts";

export interface NatsOptions {
  /** One address or several, separated by commas. */
  readonly url: string;
  readonly namespace: string;
  /** Shown in the server's connection list. @default "natchet" */
  readonly name?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** A file with an nkey seed. */
  readonly nkeyFile?: string | undefined;
  /** A `.creds` file. */
  readonly credsFile?: string | undefined;
  /** Files in PEM form. */
  readonly tls?: TlsFiles | undefined;
  /** `_INBOX`, or `_INBOX.<role>` for a user who may subscribe to nothing else. @default "_INBOX" */
  readonly inboxPrefix?: string | undefined;
  /** Called with what the callback of a subscription has thrown; the connection stays up. @default a line on standard error */
  readonly onFault?: ((subject: string, error: unknown) => void) | undefined;
  /** Called when the server refuses the login of an established connection, at most twice a minute. */
  readonly onLoginRefused?: ((reason: string) => void) | undefined;
}

export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Refuses options that can never connect, with the value, the rule and an example. Fails: TypeError */
export function assertNatsOptions(options: NatsOptions): void {
  assertName("namespace", options.namespace, "namespace");
  parseAddresses(options.url);
  assertInboxPrefix(options.inboxPrefix);
  assertSingleIdentity(options);
  assertFile("nkeyFile", options.nkeyFile, "natchet.nk");
  assertFile("credsFile", options.credsFile, "natchet.creds");
  assertFile("tls.ca", options.tls?.ca, "ca.pem");
  assertFile("tls.cert", options.tls?.cert, "client.pem");
  assertFile("tls.key", options.tls?.key, "client-key.pem");
  if ((options.tls?.cert === undefined) !== (options.tls?.key === undefined)) {
    throw new TypeError("tls: cert and key belong together, for example { cert: 'client.pem', key: 'client-key.pem' }");
  }
}

/** User and password or token: from the options, else from the URL (`nats://user:password@host`, `nats://token@host`). */
export function loginOf(options: NatsOptions): Login {
  if (options.token !== undefined) return { token: options.token };
  if (options.user !== undefined) return { user: options.user, pass: options.password ?? "" };
  return parseAddresses(options.url).login;
}

function assertSingleIdentity(options: NatsOptions): void {
  const given = (["user", "token", "nkeyFile", "credsFile"] as const).filter((field) => options[field] !== undefined);
  if (given.length > 1) {
    throw new TypeError(`${given.join(" and ")} are both set; choose one way to log in, for example only ${given[0]}`);
  }
  if (options.password !== undefined && options.user === undefined) {
    throw new TypeError('password is set without user, for example { user: "worker", password: "…" }');
  }
}

function assertInboxPrefix(prefix: string | undefined): void {
  if (prefix === undefined || isInboxPrefix(prefix)) return;
  throw new TypeError(
    `inboxPrefix (NATCHET_INBOX_PREFIX): "${prefix}" is not "_INBOX", or "_INBOX." and a name of letters, digits and _, for example "_INBOX.producer"`,
  );
}

function assertFile(field: string, path: string | undefined, example: string): void {
  if (path !== undefined && !existsSync(path)) {
    throw new TypeError(`${field}: there is no file "${path}", for example "/etc/natchet/${example}"`);
  }
}
