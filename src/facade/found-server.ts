// A server that was found, and the messages that say which one it is.
import { relative } from "node:path";
import type * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { shownAddress } from "../nats/address.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import type { Settings } from "./settings.ts";

/** Where to connect to. */
export interface FoundServer {
  /** Changes if the embedded server has to leave its port. */
  readonly url: string;
  readonly source: "given" | "local" | "embedded";
  /** For people: `embedded NATS in .natchet (nats://127.0.0.1:21362)`. */
  readonly where: string;
}

/** A server that this process may have started. */
export interface TendedServer extends FoundServer {
  /** Looks after the server while the scope is open, if this process has started it: `store` knows when it is broken. */
  readonly tend: (store: StoreWatch) => Effect.Effect<void, never, Scope.Scope>;
}

/** Where a server is, for people. */
export const whereIs = ({ url, source }: Omit<FoundServer, "where">, directory: string): string =>
  source === "embedded"
    ? `embedded NATS in ${shownDirectory(directory)} (${shownAddress(url)})`
    : `NATS at ${shownAddress(url)}`;

/** The path from the current directory, if that is shorter. */
function shownDirectory(directory: string): string {
  const seen = relative(process.cwd(), directory);
  return seen !== "" && seen.length < directory.length ? seen : directory;
}

/** The options to connect with: the embedded server is on this machine and has a login of its own. */
export function optionsFor(
  { url, source }: FoundServer,
  nats: Settings["nats"],
): Settings["nats"] & { readonly url: string } {
  if (source !== "embedded") return { ...nats, url };
  const {
    user: _user,
    password: _password,
    token: _token,
    nkeyFile: _nkey,
    credsFile: _creds,
    tls: _tls,
    ...rest
  } = nats;
  return { ...rest, url };
}
