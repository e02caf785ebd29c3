// The credentials of this process. Their file is read again for every login, since such files are replaced while processes run.
import { readFileSync } from "node:fs";
import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from "@nats-io/transport-node";
import type { NatsOptions } from "./options.ts";

/** Fails: Error for a file without credentials. Once it was readable, its last content is used whenever it is not. */
export function authenticatorOf({ nkeyFile, credsFile }: NatsOptions): Authenticator | undefined {
  if (credsFile !== undefined) return fromFile(credsFile, credsAuthenticator);
  if (nkeyFile !== undefined) return fromFile(nkeyFile, (seed) => nkeyAuthenticator(trimmed(seed)));
  return undefined;
}

function fromFile(path: string, read: (bytes: Uint8Array) => Authenticator): Authenticator {
  let last = read(readFileSync(path));
  last(""); // fails now for an unusable file: the client would only see its connection time out
  return (nonce) => {
    try {
      const fresh = read(readFileSync(path));
      const login = fresh(nonce);
      last = fresh;
      return login;
    } catch {
      return last(nonce); // half written, or just being replaced
    }
  };
}

const trimmed = (bytes: Uint8Array): Uint8Array => new TextEncoder().encode(new TextDecoder().decode(bytes).trim());
