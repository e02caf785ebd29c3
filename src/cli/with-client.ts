// A client for the time of one command.
import * as Effect from "effect/Effect";
import { connect, type Natchet, RunFailed } from "../client.ts";
import { printable, printableLines } from "../domain/printable.ts";
import { errorDetails } from "../domain/stack.ts";
import { CliError } from "./effect-cli.ts";
import { encryptionOf } from "./encryption.ts";
import { asUsage } from "./flag-values.ts";
import { warn } from "./output.ts";
import { connectOptions, root } from "./root.ts";

/** Connects, runs the command, and closes the connection; an error ends the command with its message. */
export const withClient = <A>(work: (natchet: Natchet) => Promise<A>) => checkedFirst(async () => {}, work);

/** Flags are checked before anything is opened: a usage error needs no server. A command starts none and leaves no folder behind. */
export const checkedFirst = <C, A>(
  check: () => C | Promise<C>,
  work: (natchet: Natchet, checked: C) => Promise<A>,
  { isLong = false }: ClientNeeds = {},
) =>
  Effect.gen(function* () {
    const flags = yield* root;
    const checked = yield* attempt(async () => check());
    const options = { ...connectOptions(flags), ...(yield* attempt(() => encryptionOf(flags))) };
    return yield* Effect.acquireUseRelease(
      attempt(() => connect({ ...options, ...(isLong ? {} : atOnce) })),
      (natchet) => attempt(() => tellingOfSilence(natchet, isLong, () => asked(() => work(natchet, checked)))),
      (natchet) => Effect.promise(() => natchet.close()),
    );
  });

/** Commands that only query do not wait for a server. */
const atOnce = { startServer: false };

interface ClientNeeds {
  /** Takes as long as a run takes; natchet itself says why it waits. */
  readonly isLong?: boolean;
}

const silentMs = 900;

/** A new leader may be on its way, so wait for an engine, but say so. */
async function tellingOfSilence<A>(natchet: Natchet, isLong: boolean, work: () => Promise<A>): Promise<A> {
  if (isLong) return work();
  const { namespace, server } = natchet;
  const line = `waiting for an engine in namespace "${namespace}" on ${server}; if no worker is running, start one (natchet dev, natchet worker)`;
  const timer = setTimeout(() => warn(line), silentMs);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Runs promise code; the command line prints a rejection as one sentence. */
export const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => new CliError.UserError({ cause, userMessage: sentenceOf(cause) }) });

/** What a client refuses before it sends anything (an invalid name, a wrong option) came from the command line. */
async function asked<A>(work: () => Promise<A>): Promise<A> {
  try {
    return await work();
  } catch (error) {
    throw asUsage(error);
  }
}

function sentenceOf(cause: unknown): string {
  if (cause instanceof RunFailed) return [printable(cause.message), ...errorDetails(cause.error)].join("\n");
  return printableLines(cause instanceof Error && cause.message !== "" ? cause.message : String(cause));
}
