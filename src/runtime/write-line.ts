// Lines on standard error.
declare const Bun: object | undefined;

/** Writes a line to stderr unchanged: on a terminal Bun paints the output of `console.error` red. */
export function writeLine(line: string): void {
  if (typeof Bun !== "undefined" && process.stderr.isTTY) process.stderr.write(`${line}\n`);
  else console.error(line);
}
