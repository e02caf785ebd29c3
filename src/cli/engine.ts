// `natchet engine`: a dedicated engine for production. Several may run; one leads, the rest stand by warm.
import * as Effect from "effect/Effect";
import { startEngine } from "../mod.ts";
import { Command } from "./effect-cli.ts";
import { connectOptions, healthFlags, healthOptions, root } from "./root.ts";
import { attempt } from "./with-client.ts";

export const engine = Command.make(
  "engine",
  healthFlags,
  Effect.fn(function* (flags) {
    const options = connectOptions(yield* root);
    yield* attempt(async () => (await startEngine({ ...options, health: healthOptions(flags) })).stopped);
  }),
).pipe(Command.withDescription("Run only an engine; SIGTERM hands over to a standby"));
