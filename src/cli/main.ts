// The command line: assembles the commands and turns their end into an exit code.
import { Effect, Exit, Layer } from "effect";
import { version } from "../mod.ts";
import { crons } from "./crons.ts";
import { dev } from "./dev.ts";
import { CliConfig, Command, GlobalFlag } from "./effect-cli.ts";
import { engine } from "./engine.ts";
import { pause, resume } from "./pause.ts";
import { CliPlatform } from "./platform.ts";
import { queues } from "./queues.ts";
import { root } from "./root.ts";
import { run } from "./run.ts";
import { runs } from "./runs.ts";
import { tasks } from "./tasks.ts";
import { worker } from "./worker.ts";
import { workers } from "./workers.ts";

const cli = root.pipe(
  Command.withSubcommands([dev, worker, engine, run, runs, workers, tasks, queues, crons, pause, resume]),
);

const config = CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] });

/** Runs one command line; the exit code is 0, or 1 if the command or the run that it waited for failed. */
export async function main(): Promise<void> {
  const exit = await Effect.runPromiseExit(
    cli.pipe(Command.run({ version }), Effect.provide(Layer.merge(CliPlatform, config))),
  );
  if (Exit.isFailure(exit)) process.exitCode = 1;
}

if (import.meta.main) await main();
