// Flags and arguments that need more than a type. A wrong one is a usage error with the flag, the value and an example.
import { parseDuration } from "../domain/duration.ts";
import { latestTime } from "../domain/time.ts";

/** The command line itself is wrong: nothing was done. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Fails: UsageError */
export function readJsonFlag(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where} is not valid JSON (${(error as Error).message}), for example '{"name":"Ada"}'`);
  }
}

/** Fails: UsageError */
export function parseTime(text: string, where: string): Date {
  const time = new Date(text);
  if (time.getTime() >= 0 && time.getTime() <= latestTime) return time;
  throw new UsageError(`${where}: "${text}" is not a time, for example ${where} 2030-01-31T09:00:00Z`);
}

/** Units: milliseconds. Fails: UsageError */
export const parsePeriod = (text: string, where: string): number => checked(() => parseDuration(text, where));

/** Fails: UsageError for what the library would refuse too, before connecting to anything */
export function checked<A>(check: () => A): A {
  try {
    return check();
  } catch (error) {
    throw asUsage(error);
  }
}

/** The value came from the command line, where an example in TypeScript is no use. */
export const asUsage = (error: unknown): unknown =>
  error instanceof TypeError || error instanceof RangeError
    ? new UsageError(error.message.replace(/[;,] for example (?:@|\{|new ).*$/s, ""))
    : error;

/** Fails: UsageError */
export function assertPriority(priority: number): number {
  if (priority >= 1 && priority <= 9) return priority;
  throw new UsageError(`--priority: ${priority} is not from 1 to 9, for example --priority 3`);
}

/** Fails: UsageError */
export function assertLimit(limit: number): number {
  if (limit >= 1) return limit;
  throw new UsageError(`--limit: ${limit} is less than 1, for example --limit 50`);
}
