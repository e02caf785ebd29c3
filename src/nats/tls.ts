// TLS settings: the user's files, and the check that a server's certificate names the address that was dialled.
import type { Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { TlsOptions } from "@nats-io/transport-node";
import type { TlsFiles } from "./options.ts";

/** What the runtime passes to the check of a certificate; `socket` is the connection underneath. */
interface Dialled {
  readonly servername?: string;
  readonly socket?: Socket;
}

/** `onClosed` is called when a server with a valid certificate has closed the connection. */
export function tlsOptions(files: TlsFiles, onClosed: () => void): TlsOptions {
  const options = {
    ...(files.ca !== undefined && { caFile: files.ca }),
    ...(files.cert !== undefined && { certFile: files.cert }),
    ...(files.key !== undefined && { keyFile: files.key }),
    // For an address by IP the client names no server, and Deno then compares the certificate with "localhost".
    checkServerIdentity(this: Dialled, name: string, certificate: PeerCertificate): Error | undefined {
      const problem = checkServerIdentity(this.servername || this.socket?.remoteAddress || name, certificate);
      if (problem === undefined) this.socket?.once("close", onClosed);
      return problem;
    },
  };
  return options as TlsOptions;
}
