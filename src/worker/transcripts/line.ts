// Log lines as they are stored: bounded, and never the cause of a failing task.
import type { Log } from "../../domain/log.ts";
import { cutText } from "../../domain/printable.ts";
import { errorRecordOf, isError, toText } from "../../domain/thrown.ts";
import type { LineLevel } from "../../domain/transcript.ts";
import { jsonBytes, noBytes, utf8 } from "../../wire/bytes.ts";
import { Speaker } from "./speaker.ts";

const mostFieldBytes = 16_384;

/** The lines of a run of a worker among those of its process, whatever user code hands over as message and fields. */
export const consoleOf = (log: Log, worker: string, run: string): Log => new RunConsole(log, worker, run);

class RunConsole extends Speaker {
  readonly #log: Log;
  readonly #worker: string;
  readonly #run: string;

  constructor(log: Log, worker: string, run: string) {
    super();
    this.#log = log;
    this.#worker = worker;
    this.#run = run;
  }

  protected line(level: LineLevel, message: string, fields: Record<string, unknown> | undefined): void {
    this.#log[level](cutText(toText(message)), { worker: this.#worker, run: this.#run, ...shallowCopy(fields) });
  }
}

/** A copy of the fields, which may be a proxy, or have getters that throw. */
function shallowCopy(fields: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  try {
    const copy: Record<string, unknown> = { ...fields };
    for (const name in copy) if (typeof copy[name] === "string") copy[name] = cutText(copy[name]);
    return copy;
  } catch (problem) {
    return { unreadable: toText(problem) };
  }
}

/** JSON of the fields of a line; what cannot be written or is too large is replaced by a field that says so. */
export function fieldBytes(fields: Readonly<Record<string, unknown>> | undefined): Uint8Array {
  if (fields === undefined) return noBytes;
  const bytes = written(fields);
  return bytes.length <= mostFieldBytes ? bytes : jsonBytes({ cut: `fields of ${bytes.length} bytes are too large` });
}

function written(fields: Readonly<Record<string, unknown>>): Uint8Array {
  try {
    return utf8(JSON.stringify(fields, replaced) ?? "{}");
  } catch (problem) {
    const { name, message } = errorRecordOf(problem);
    return jsonBytes({ unwritable: `${name}: ${message}` });
  }
}

function replaced(_name: string, value: unknown): unknown {
  if (isError(value)) return `${(value as Error).name}: ${(value as Error).message}`;
  return typeof value === "bigint" ? String(value) : value;
}
