// A client for the time of one command.
import { Effect } from "effect";
import { connect, type Natchet } from "../mod.ts";
import { CliError } from "./effect-cli.ts";
import { connectOptions, root } from "./root.ts";

/** Connects, lets the command work, and closes the connection; what goes wrong ends the command with its sentence and exit code 1. */
export const withClient = <A>(work: (natchet: Natchet) => Promise<A>) =>
  Effect.gen(function* () {
    const options = connectOptions(yield* root);
    return yield* Effect.acquireUseRelease(
      attempt(() => connect({ log: "warn", ...options })),
      (natchet) => attempt(() => work(natchet)),
      (natchet) => Effect.promise(() => natchet.close()),
    );
  });

/** Runs promise code; a rejection becomes an error that the command line prints as one sentence. */
export const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => new CliError.UserError({ cause, userMessage: sentenceOf(cause) }) });

export function sentenceOf(cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? cause.message : String(cause);
}
