// A counted log: what a worker logs about the durable runs of one task. The first message of a kind is logged in full, the others are counted.
import type { Log } from "../../domain/log.ts";

interface Told {
  /** How many others of the same kind are not logged yet. */
  others: number;
  lastAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

type Level = "warn" | "error";

/** Others are counted for this long before their number is logged. Units: milliseconds */
const collectMs = 2_000;
/** If none came for this long, the next one is logged in full again. Units: milliseconds */
const quietMs = 60_000;

/** Counts warnings and errors by their message. */
export function countedLog(log: Log, task: string): Log {
  const told = new Map<string, Told>();
  const tell = (level: Level, message: string, fields: Readonly<Record<string, unknown>> | undefined): void => {
    const now = performance.now();
    const known = told.get(message);
    if (known === undefined || (known.others === 0 && now - known.lastAt > quietMs)) {
      told.set(message, { others: 0, lastAt: now, timer: undefined });
      log[level](message, fields);
      return;
    }
    known.others += 1;
    known.lastAt = now;
    if (known.timer !== undefined) return;
    known.timer = setTimeout(() => {
      known.timer = undefined;
      const { others } = known;
      known.others = 0;
      log[level](`${message}; and ${others} ${others === 1 ? "other" : "others"} of its task`, { task });
    }, collectMs);
    (known.timer as { unref?: () => void }).unref?.();
  };
  return {
    debug: (message, fields) => log.debug(message, fields),
    info: (message, fields) => log.info(message, fields),
    warn: (message, fields) => tell("warn", message, fields),
    error: (message, fields) => tell("error", message, fields),
  };
}
