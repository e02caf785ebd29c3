// `natchet nats-config`: users with the least rights of each role, for the configuration of a nats-server. Needs no server.
import * as Effect from "effect/Effect";
import * as Option from "effect/Option";
import { randomToken } from "../domain/random-token.ts";
import { serverConfig } from "../facade/server-config.ts";
import { readEnvironment } from "../runtime/environment.ts";
import { Command } from "./effect-cli.ts";
import { UsageError } from "./flag-values.ts";
import { root } from "./root.ts";
import { attempt } from "./with-client.ts";

export const natsConfig = Command.make(
  "nats-config",
  {},
  Effect.fn(function* () {
    const { namespace } = yield* root;
    yield* attempt(async () => console.log(natsConfigText(Option.getOrUndefined(namespace))));
  }),
).pipe(
  Command.withDescription(
    "Print a nats-server configuration: an account per namespace, and users with the rights of producer, operator, worker and engine",
  ),
  Command.withExamples([
    {
      command: "natchet nats-config -n prod > natchet.conf",
      description: 'for `include "natchet.conf"` in nats-server.conf',
    },
    { command: "natchet nats-config -n prod,staging", description: "two namespaces that cannot reach each other" },
  ]),
);

/** Passwords are new each time. */
export function natsConfigText(given: string | undefined): string {
  const text = given ?? readEnvironment(["NATCHET_NAMESPACE"]).NATCHET_NAMESPACE ?? "default";
  const namespaces = [...new Set(text.split(",").map((name) => name.trim()))];
  try {
    return `# Printed by "natchet nats-config"; the passwords were generated for this output and are stored nowhere else.
# Engines run alone (natchet engine), workers with NATCHET_ENGINE=off. Start an engine first: it makes the streams.
${serverConfig({ namespaces, password: () => randomToken(32) })}`;
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}
