// The one place that imports Effect's CLI module: it is marked unstable, so a minor version may change it.
export { Argument, CliError, Command, Flag } from "effect/cli";
