// `ctx.log`, whatever its lines go to.
import type { TaskLog } from "../../domain/context.ts";
import type { LineLevel } from "../../domain/transcript.ts";

type Fields = Record<string, unknown>;

/** A log whose lines of all levels go one way. */
export abstract class Speaker implements TaskLog {
  protected abstract line(level: LineLevel, message: string, fields: Fields | undefined): void;

  debug(message: string, fields?: Fields): void {
    this.line("debug", message, fields);
  }
  info(message: string, fields?: Fields): void {
    this.line("info", message, fields);
  }
  warn(message: string, fields?: Fields): void {
    this.line("warn", message, fields);
  }
  error(message: string, fields?: Fields): void {
    this.line("error", message, fields);
  }
}
