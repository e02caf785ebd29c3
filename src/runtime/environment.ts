// runtime/: what differs between Bun, Deno and Node.

/** Reads variables of the process; on Deno without `--allow-env` there are none, and defaults apply. */
export function readEnvironment(names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = readVariable(name);
    if (value !== undefined && value !== "") found[name] = value;
  }
  return found;
}

function readVariable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}

/** Whether `natchet dev` started this process. */
export const isSupervised = (): boolean => readVariable("NATCHET_SUPERVISED") === "1";
