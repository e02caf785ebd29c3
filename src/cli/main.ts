// cli/: the commands. Each does what a program could do with the public entry.
// The command line: assembles the commands and turns their end into an exit code.
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { version } from "../mod.ts";
import { crons } from "./crons.ts";
import { dev } from "./dev.ts";
import { doctor } from "./doctor.ts";
import { CliConfig, CliError, Command, GlobalFlag } from "./effect-cli.ts";
import { engine } from "./engine.ts";
import { UsageError } from "./flag-values.ts";
import { natsConfig } from "./nats-config.ts";
import { pause, resume } from "./pause.ts";
import { CliPlatform } from "./platform.ts";
import { presentation } from "./presentation.ts";
import { queues } from "./queues.ts";
import { root } from "./root.ts";
import { run } from "./run.ts";
import { runs } from "./runs.ts";
import { tasks } from "./tasks.ts";
import { worker } from "./worker.ts";
import { workers } from "./workers.ts";

/** All commands. */
export const cli = root.pipe(
  Command.withSubcommands([
    dev,
    worker,
    engine,
    run,
    runs,
    workers,
    tasks,
    queues,
    crons,
    pause,
    resume,
    doctor,
    natsConfig,
  ]),
);

const config = CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] });
const services = Layer.mergeAll(CliPlatform, config, presentation);

/**
 * Runs one command line and sets the exit code: 0; 1 if the command, or the run that it waited for, failed; 2 if the command line
 * itself is wrong.
 */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  followWrapper();
  const program = Command.runWith(cli, { version })(helpAsFlag(args));
  const exit = await Effect.runPromiseExit(program.pipe(Effect.provide(services)));
  if (Exit.isFailure(exit)) process.exitCode = exitCodeOf(exit.cause);
}

/** A process started by the wrapper under Node ends with it, drained, however that ended. */
function followWrapper(): void {
  const wrapper = Number(process.env.NATCHET_WRAPPER);
  delete process.env.NATCHET_WRAPPER; // not what this process starts
  if (!Number.isInteger(wrapper) || wrapper !== process.ppid) return;
  const look = setInterval(() => {
    if (process.ppid === wrapper) return;
    clearInterval(look);
    process.kill(process.pid, "SIGTERM");
  }, 500);
  look.unref();
}

/** `natchet help runs list` means `natchet runs list --help`. */
const helpAsFlag = (args: readonly string[]): readonly string[] =>
  args[0] === "help" ? [...args.slice(1), "--help"] : args;

function exitCodeOf(cause: Cause.Cause<unknown>): number {
  const error = Cause.squash(cause);
  if (!CliError.isCliError(error)) return 1;
  if (error._tag === "ShowHelp") return error.errors.length > 0 ? 2 : 0;
  return error._tag === "UserError" && error.cause instanceof UsageError ? 2 : 1;
}

if (import.meta.main) await main();
