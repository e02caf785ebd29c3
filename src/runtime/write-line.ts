declare const Bun: object | undefined;

/** A line on stderr, as it is: on a terminal Bun paints red what `console.error` prints. */
export function writeLine(line: string): void {
  if (typeof Bun !== "undefined" && process.stderr.isTTY) process.stderr.write(`${line}\n`);
  else console.error(line);
}
