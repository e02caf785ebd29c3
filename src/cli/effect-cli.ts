// The one place that imports Effect's CLI module: it is marked unstable, so a minor version may change it.
export { Argument, CliConfig, CliError, CliOutput, Command, Flag, GlobalFlag } from "effect/cli";
