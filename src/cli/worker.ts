// `natchet worker [glob…]`: the workers that the files export, as a production process.
import { writeSync } from "node:fs";
import { Effect } from "effect";
import { start } from "../mod.ts";
import { Argument, Command } from "./effect-cli.ts";
import { connectOptions, healthFlags, healthOptions, root } from "./root.ts";
import { attempt } from "./with-client.ts";

/** Where workers are looked for when no glob is given. */
export const defaultGlobs = ["workers/**/*.ts", "worker.ts"];

export const globs = Argument.String("glob").pipe(
  Argument.withDescription(`files that export worker classes, default ${defaultGlobs.join(" and ")}`),
  Argument.variadic(),
);

export const worker = Command.make(
  "worker",
  { globs, ...healthFlags },
  Effect.fn(function* ({ globs, ...flags }) {
    const options = connectOptions(yield* root);
    // While `natchet dev` replaces this process, the one before it still answers.
    const health = { ...healthOptions(flags), whenTaken: isSupervised() ? "wait" : "fail" } as const;
    yield* attempt(async () => {
      const running = await start([], { ...options, health, scan: globs.length > 0 ? globs : defaultGlobs });
      tellSupervisor();
      await running.stopped;
    });
  }),
).pipe(
  Command.withDescription("Run the workers that files export (SIGTERM drains)"),
  Command.withExamples([{ command: "natchet worker src/workers/*.ts", description: "all workers of a folder" }]),
);

const isSupervised = () => process.env.NATCHET_SUPERVISED === "1";

// The supervisor of `natchet dev` listens on a pipe, and holds the other end of stdin: when it dies, so does this process, drained.
function tellSupervisor(): void {
  if (!isSupervised()) return;
  writeSync(3, "ready\n");
  process.stdin.once("end", () => process.kill(process.pid, "SIGTERM"));
  process.stdin.resume();
}
