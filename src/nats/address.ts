// Addresses of servers are parsed here and nowhere else: nothing else looks into a URL that may contain a password.

export interface Login {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

export interface Addresses {
  /** The addresses without a login, which the client would ignore and messages must not show. */
  readonly shown: readonly string[];
  /** The login in the addresses: all servers share one. */
  readonly login: Login;
  /** One of the addresses begins with `tls://`: then nothing is sent to any of them before TLS. */
  readonly needsTls: boolean;
}

const example = 'for example "nats://127.0.0.1:4222"';
const address = /^(?:(nats|tls):\/\/(?:([^\s/@]+)@)?)?((?:\[[0-9a-fA-F:.]+\]|[^\s/@:[\]]+)(?::\d{1,5})?)\/?$/;

/** Parses one address or several, separated by commas. Fails: TypeError, which shows no login */
export function parseAddresses(url: string): Addresses {
  const parsed = url.split(",").map((one) => parseAddress(one.trim(), url));
  const logins = [...new Set(parsed.map(({ login }) => login).filter((login) => login !== undefined))];
  if (logins.length > 1)
    throw new TypeError(
      `url: the addresses ${shownAddress(url)} have different logins; natchet uses one login for all servers, ${example.replace("//", "//user:password@")}`,
    );
  return {
    shown: parsed.map(({ shown }) => shown),
    login: logins[0] === undefined ? {} : loginOf(logins[0], url),
    needsTls: parsed.some(({ scheme }) => scheme === "tls"),
  };
}

/** The addresses as messages may show them: without a login, even if it is unclear which part that is. */
export function shownAddress(url: string): string {
  const all = url.split(",").map((one) => address.exec(one.trim()));
  if (all.every((found) => found !== null)) return all.map((found) => shownOf(found)).join(",");
  const [, scheme = "", rest = ""] = /^\s*([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url) ?? [];
  // A password may contain a comma, an @ or a slash: only what follows the last @ is certainly not part of it.
  const host = rest.slice(rest.lastIndexOf("@") + 1);
  return scheme + host.replace(/:(?!\d{1,5}(?:[/,]|$)).*$/s, ":…");
}

const shownOf = ([, scheme, , host]: RegExpExecArray): string => (scheme === undefined ? host! : `${scheme}://${host}`);

function parseAddress(one: string, url: string) {
  const found = address.exec(one);
  if (found !== null) return { scheme: found[1], login: found[2], shown: shownOf(found) };
  if (one.includes("@") && !one.includes("://"))
    throw new TypeError(
      `url: "${shownAddress(url)}" has a login without a scheme; write nats:// or tls:// before it, for example "nats://user:password@127.0.0.1:4222"`,
    );
  const hint = url.includes("@") ? "; a login in it percent-encodes special characters, for example %40 for @" : "";
  throw new TypeError(`url: "${shownAddress(url)}" is not the address of a NATS server, ${example}${hint}`);
}

function loginOf(text: string, url: string): Login {
  const colon = text.indexOf(":");
  if (colon < 0) return { token: decoded(text, url) };
  return { user: decoded(text.slice(0, colon), url), pass: decoded(text.slice(colon + 1), url) };
}

function decoded(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError(
      `url: the login of "${shownAddress(url)}" has a % that is not followed by a character's code; write %25 for a %, or set user and password`,
    );
  }
}
