// Why a file could not be imported, with the offending line. Runtimes report it differently: Bun in the `position` of one error or of
// several inside an AggregateError, Deno in the message.
import { foldStack } from "./stack.ts";
import { isError, readProperty, toText } from "./thrown.ts";

interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
}

/** `file cannot be imported: reason`, with file, line, column and the code in question where the runtime knows them. */
export function importFailure(file: string, cause: unknown): string {
  const errors = builtErrors(cause);
  if (errors.length > 0) return [`${file} cannot be imported:`, ...errors.map(frameOf)].join("\n");
  const message = withoutColours(isError(cause) ? toText(readProperty(cause, "message")) : toText(cause));
  const places = /\n\s+at \S+:\d+:\d+/.test(message) ? [] : placesOf(cause);
  return [`${file} cannot be imported: ${message}${cureOf(file, cause)}`, ...places].join("\n");
}

/** Node strips types, but does not know decorators yet: it finds them an invalid token. */
function cureOf(file: string, cause: unknown): string {
  const isTypeScript = /\.[cm]?tsx?$/.test(file) && !("Bun" in globalThis || "Deno" in globalThis);
  if (
    !isTypeScript ||
    !(
      cause instanceof SyntaxError ||
      /ERR_U\w+_TYPESCRIPT_SYNTAX|ERR_UNKNOWN_FILE_EXTENSION/.test(toText(readProperty(cause, "code")))
    )
  )
    return "";
  return "; Node does not run decorators in TypeScript: compile the file first, or install Bun (npm install --save-dev bun)";
}

/** Errors of Bun's compiler that have a position. */
function builtErrors(cause: unknown): { readonly message: string; readonly position: Position }[] {
  const errors = readProperty(cause, "errors");
  return (Array.isArray(errors) ? errors : [cause]).flatMap((error) => {
    const position = readProperty(error, "position") as Position | null | undefined;
    const isPlace = typeof position?.file === "string" && typeof position.line === "number";
    return isPlace ? [{ message: toText(readProperty(error, "message")), position }] : [];
  });
}

function frameOf({ message, position }: { readonly message: string; readonly position: Position }): string {
  const { file, line, column, lineText = "" } = position;
  const gutter = `    ${line} | `;
  // A tab before the position stays a tab, so that the marker is aligned.
  const before = lineText.slice(0, Math.max(0, column - 1)).replace(/[^\t]/g, " ");
  return `  ${file}:${line}:${column}: ${message}\n${gutter}${lineText}\n${" ".repeat(gutter.length)}${before}^`;
}

/** Where imported code threw. */
function placesOf(cause: unknown): string[] {
  const stack = readProperty(cause, "stack");
  return typeof stack === "string" ? foldStack(withoutColours(stack)) : [];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Deno paints its messages
const withoutColours = (text: string): string => text.replace(/\u001b\[[\d;]*m/g, "");
