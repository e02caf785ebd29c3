// The log of a process: lines on stderr, so that stdout stays the program's, or the program's own logger.
import type { Log } from "../domain/log.ts";
import type { LineLevel } from "../domain/transcript.ts";
import { writeLine } from "../runtime/write-line.ts";
import { jsonLine, textLine } from "./log-lines.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ["text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];
type Fields = Readonly<Record<string, unknown>>;

export interface LogSettings {
  readonly level: LogLevel;
  /** @default "text" */
  readonly format?: LogFormat;
  /** Whether lines go to a terminal. @default whether stderr is one */
  readonly terminal?: boolean;
  /** @default on a terminal only */
  readonly colours?: boolean;
  /** Receives the log instead. */
  readonly logger?: Log | undefined;
  /** @default a line on stderr */
  readonly write?: (line: string) => void;
}

/** The log as configured for a process. */
export const logOf = ({ log, logFormat, logger, colours }: Chosen): Log =>
  makeLog({ level: log, format: logFormat, logger, ...(colours !== undefined && { colours }) });

interface Chosen {
  readonly log: LogLevel;
  readonly logFormat: LogFormat;
  readonly logger: Log | undefined;
  readonly colours: boolean | undefined;
}

/** Tells messages of at least `level`. */
export function makeLog(settings: LogSettings): Log {
  const least = logLevels.indexOf(settings.level);
  const tell = settings.logger === undefined ? writer(settings) : teller(settings.logger);
  const at = (level: LineLevel) =>
    logLevels.indexOf(level) < least ? () => {} : (message: string, fields?: Fields) => tell(level, message, fields);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

type Tell = (level: LineLevel, message: string, fields: Fields | undefined) => void;

function writer({ format, terminal = process.stderr.isTTY === true, colours = terminal, write }: LogSettings): Tell {
  const out = write ?? writeLine;
  if (format === "json") return (level, message, fields) => out(jsonLine(level, message, fields));
  const style = { dated: !terminal, colours };
  return (level, message, fields) => out(textLine(level, message, fields, style));
}

/** A logger that throws must not break what it logs. */
function teller(logger: Log): Tell {
  return (level, message, fields) => {
    try {
      if (fields === undefined) logger[level](message);
      else logger[level](message, fields);
    } catch (error) {
      console.error(textLine("error", "the logger failed", { error, of: message }, { dated: true, colours: false }));
    }
  };
}

/** Fails: TypeError */
export function assertLogger(logger: Log | undefined): Log | undefined {
  if (logger === undefined) return undefined;
  const missing = (["debug", "info", "warn", "error"] as const).find((level) => typeof logger?.[level] !== "function");
  if (missing === undefined) return logger;
  throw new TypeError(
    `logger: ${missing} is not a function; a logger has debug, info, warn and error, each (message, fields), for example { logger: console }`,
  );
}
