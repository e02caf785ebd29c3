/** What NATS's own client needs to reach a server with a token in its address: it does not look for one there. */
export function loginIn(url: string): { readonly servers: string; readonly token?: string } {
  const { host, username } = new URL(url);
  return { servers: host, ...(username !== "" && { token: username }) };
}
