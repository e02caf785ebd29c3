// What runners said of the tests that failed, so that the suite can repeat it where it is read first: at the end.
const resultOfBun = /^\((pass|fail|skip|todo)\) /;
const fileOfBun = /^\S+\.test\.ts:$/;
/** What bun repeats itself. */
const summaryOfBun = /^\n\d+ tests? failed:$/m;
const mostLines = 60;

/** Of `bun test`: each failed test with its file, and what was printed since the test before it. */
export function failuresOnBun(output: string): string {
  let file = "";
  let since: string[] = [];
  const failures: string[] = [];
  for (const line of output.split(summaryOfBun, 1)[0]!.split("\n")) {
    if (fileOfBun.test(line)) file = line;
    else since.push(line);
    if (line.startsWith("(fail) ")) failures.push([file, ...since.slice(-mostLines)].join("\n"));
    if (fileOfBun.test(line) || resultOfBun.test(line)) since = [];
  }
  return failures.join("\n");
}

/** Of `deno test`: its own summary of errors. */
export function failuresOnDeno(output: string): string {
  const from = output.indexOf("\n ERRORS \n");
  return from === -1 ? "" : output.slice(from).trimEnd();
}
