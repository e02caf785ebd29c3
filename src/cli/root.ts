// The `natchet` command itself and the flags that all its commands share.
import * as Option from "effect/Option";
import type { ConnectOptions, HealthOptions } from "../mod.ts";
import { Command, Flag } from "./effect-cli.ts";

export const root = Command.make("natchet").pipe(
  Command.withSharedFlags({
    server: Flag.String("server").pipe(
      Flag.withAlias("s"),
      Flag.withDescription(
        "NATS server, for example nats://127.0.0.1:4222; without it one is found or started [env: NATS_URL]",
      ),
      Flag.optional,
    ),
    encryption: Flag.String("encryption").pipe(
      Flag.withDescription(
        'module that exports "encryption", the option of connect() and start() [env: NATCHET_ENCRYPTION]',
      ),
      Flag.optional,
    ),
    namespace: Flag.String("namespace").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("namespace of tasks and workers [env: NATCHET_NAMESPACE] [default: default]"),
      Flag.optional,
    ),
  }),
  Command.withDescription("A durable task queue on NATS JetStream"),
);

export interface SharedFlags {
  readonly server: Option.Option<string>;
  readonly namespace: Option.Option<string>;
  readonly encryption: Option.Option<string>;
}

/** Flags of the commands that start workers or engines. */
export const healthFlags = {
  healthPort: Flag.Int("health-port").pipe(
    Flag.withDescription("serve /live, /ready and /metrics on this port [env: NATCHET_HEALTH_PORT]"),
    Flag.optional,
  ),
  healthHost: Flag.String("health-host").pipe(
    Flag.withDescription("address for them; 0.0.0.0 for Kubernetes [env: NATCHET_HEALTH_HOST] [default: 127.0.0.1]"),
    Flag.optional,
  ),
};

interface HealthFlags {
  readonly healthPort: Option.Option<number>;
  readonly healthHost: Option.Option<string>;
}

export const healthOptions = (flags: HealthFlags): HealthOptions => ({
  port: Option.getOrUndefined(flags.healthPort),
  host: Option.getOrUndefined(flags.healthHost),
});

/** Without a flag, the environment and the defaults apply. */
export function connectOptions(flags: SharedFlags): ConnectOptions {
  return { url: Option.getOrUndefined(flags.server), namespace: Option.getOrUndefined(flags.namespace) };
}
