// `natchet worker [glob…]`: the workers that the files export, as a production process.
import * as Effect from "effect/Effect";
import { discoverWorkers } from "../discovery.ts";
import { start } from "../mod.ts";
import { isSupervised } from "../runtime/environment.ts";
import { Argument, Command } from "./effect-cli.ts";
import { encryptionOf } from "./encryption.ts";
import { UsageError } from "./flag-values.ts";
import { connectOptions, healthFlags, healthOptions, root } from "./root.ts";
import { followSupervisor, tellOfExit, tellSupervisor } from "./supervised.ts";
import { attempt } from "./with-client.ts";

/** Where to look for workers without a glob. */
const defaultGlobs = ["workers/**/*.ts", "worker.ts"];

export const globs = Argument.String("glob").pipe(
  Argument.withDescription(`files that export worker classes [default: ${defaultGlobs.join(" ")}]`),
  Argument.variadic(),
);

/** Fails: UsageError for an empty one, which an unset variable leaves behind: it would mean every file below this folder */
export function chosenGlobs(given: readonly string[]): readonly string[] {
  if (given.some((glob) => glob.trim() === ""))
    throw new UsageError('"" is not a pattern of files, for example "workers/**/*.ts"; is a variable unset?');
  return given.length > 0 ? given : defaultGlobs;
}

export const worker = Command.make(
  "worker",
  { globs, ...healthFlags },
  Effect.fn(function* ({ globs, ...flags }) {
    const shared = yield* root;
    const options = { ...connectOptions(shared), ...(yield* attempt(() => encryptionOf(shared))) };
    // While `natchet dev` replaces this process, the previous one still answers.
    const health = { ...healthOptions(flags), whenTaken: isSupervised() ? "wait" : "fail" } as const;
    yield* attempt(() => work(chosenGlobs(globs), { ...options, health }));
  }),
).pipe(
  Command.withDescription("Run the workers exported by files; SIGTERM drains"),
  Command.withExamples([{ command: "natchet worker src/workers/*.ts", description: "all workers of a folder" }]),
);

async function work(scan: readonly string[], options: Parameters<typeof start>[1]): Promise<void> {
  tellOfExit();
  try {
    if (isSupervised()) await discoverWorkers(scan); // imported once: `start` finds them loaded
    tellSupervisor("loaded");
    const running = await start([], { ...options, scan });
    tellSupervisor("ready");
    followSupervisor();
    await running.stopped;
  } catch (error) {
    tellSupervisor("failed");
    throw error;
  }
}
