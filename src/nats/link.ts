import type { NatsConnection } from "@nats-io/transport-node";

/** How to reach NATS; the facade fills it from code and environment. */
export interface NatsOptions {
  /** One address or several, separated by commas. */
  readonly url: string;
  readonly namespace: string;
  /** Shown in the server's connection list. */
  readonly name?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly nkeyFile?: string;
  readonly credsFile?: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** A connection that has been checked, and what happens to it. */
export interface NatsLink {
  readonly nc: NatsConnection;
  readonly url: string;
  readonly namespace: string;
  /** Bytes of the largest message that the server takes. */
  readonly maxPayload: number;
  readonly version: string;
  isConnected(): boolean;
  /** Calls back after every reconnect; returns the function that ends it. */
  onReconnect(listener: () => void): () => void;
  onDisconnect(listener: () => void): () => void;
}
