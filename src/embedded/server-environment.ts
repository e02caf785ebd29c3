// The environment variables of an embedded server.
import { availableParallelism } from "node:os";

/**
 * Environment of a server that shares its machine with the workers: half of the cores execute its code, unless `GOMAXPROCS` says otherwise.
 *
 * With all cores its idle threads look for work on those that the workers need, which costs more than it brings.
 */
export function serverEnvironment(
  given: NodeJS.ProcessEnv = process.env,
  cores = availableParallelism(),
): NodeJS.ProcessEnv {
  return { GOMAXPROCS: String(Math.max(1, Math.floor(cores / 2))), ...given };
}
